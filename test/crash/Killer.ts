/**
 * Kills: one lane per actor, which kills it again as soon as it is back at work, and now and then the launcher with
 * everything below it, or the server.
 */
import * as Effect from "effect/Effect"
import type { Terminal } from "../../kernel/Failure.ts"
import { NAMES } from "../../launcher/Registry.ts"
import type { Instance } from "./Instance.ts"
import { plan, randomFrom, type Where } from "./Plan.ts"
import type { Workload } from "./Workload.ts"

export interface Kill {
  readonly who: string
  readonly where: Where
  readonly at: number
}

export interface Killed {
  readonly kills: ReadonlyArray<Kill>
  readonly serverKills: number
  /** When the launcher or the server was killed, and with it what everybody did. */
  readonly upheavals: ReadonlyArray<number>
}

/** One kill of the launcher in so many. */
const LAUNCHER_EVERY = 40
/** How long an actor may take to come to a point of the plan, and to publish again. */
const PATIENCE_MS = 6_000
/** Longest pause between the recovery of an actor and its next kill. */
const PAUSE_MS = 700

export const killAll = Effect.fnUntraced(function* (
  instance: Instance,
  workload: Workload,
  options: { readonly kills: number; readonly serverKills: number; readonly seed: number; readonly progress: (kills: number) => void }
): Effect.fn.Return<Killed, Terminal> {
  const kills: Array<Kill> = []
  /** Kills that are done or under way. */
  let begun = 0
  let serverKills = 0
  const upheavals: Array<number> = []
  const state = { down: false }
  const done = () => begun >= options.kills

  const record = (kill: Kill) => {
    kills.push(kill)
    options.progress(kills.length)
  }

  const recovered = Effect.fnUntraced(function* (actor: string, at: number) {
    for (let waited = 0; waited < PATIENCE_MS && workload.lastOf(actor) <= at; waited += 50) yield* Effect.sleep("50 millis")
  })

  const lane = Effect.fnUntraced(function* (actor: string) {
    const places = plan(actor, options.seed)
    const random = randomFrom(options.seed + actor.length * 7919 + actor.charCodeAt(0))
    while (!done()) {
      yield* Effect.sleep(random() * PAUSE_MS)
      if (state.down || done()) continue
      begun += 1
      const where = places.next().value
      const at = yield* where === "anywhere" ? instance.killActor(actor) : instance.killAt(actor, where, PATIENCE_MS)
      if (at === undefined) {
        begun -= 1
        continue
      }
      record({ who: actor, where, at })
      yield* recovered(actor, at)
    }
  })

  const launcherLane = Effect.gen(function* () {
    const total = Math.floor(options.kills / LAUNCHER_EVERY)
    for (let n = 1; n <= total; n += 1) {
      while (!done() && kills.length < (n * options.kills) / (total + 1)) yield* Effect.sleep("50 millis")
      if (done()) return
      begun += 1
      state.down = true
      const at = yield* instance.killLauncher
      if (at !== undefined) {
        record({ who: "launcher", where: "anywhere", at })
        upheavals.push(at)
      }
      yield* instance.start
      state.down = false
    }
  })

  const serverLane = Effect.gen(function* () {
    for (let n = 1; n <= options.serverKills; n += 1) {
      while (!done() && kills.length < ((n - 0.5) * options.kills) / options.serverKills) yield* Effect.sleep("50 millis")
      while (state.down) yield* Effect.sleep("50 millis")
      const at = yield* instance.killServer
      if (at !== undefined) {
        serverKills += 1
        upheavals.push(at)
      }
      // Not twice the same moment when the kills are over.
      if (done()) yield* Effect.sleep("2 seconds")
    }
  })

  yield* Effect.all([...NAMES.map(lane), launcherLane, serverLane], { concurrency: "unbounded", discard: true })
  return { kills, serverKills, upheavals }
})

export interface Recovery {
  /** From the kill until the log took the next event of who was killed. */
  readonly ms: number
  /** Neither the launcher nor the server was killed in that time. */
  readonly alone: boolean
}

/** Of each kill after which there was something to do. */
export const recoveries = (
  { kills, upheavals }: Killed,
  log: ReadonlyArray<{ readonly actor: string; readonly time: number }>
): ReadonlyArray<Recovery> => {
  const times = new Map<string, Array<number>>()
  for (const { actor, time } of log) {
    const known = times.get(actor)
    if (known === undefined) times.set(actor, [time])
    else known.push(time)
  }
  for (const each of times.values()) each.sort((a, b) => a - b)
  return kills.flatMap(({ who, at }) => {
    const next = times.get(who)?.find((time) => time > at)
    return next === undefined ? [] : [{ ms: next - at, alone: !upheavals.some((other) => other >= at && other <= next) }]
  })
}
