/**
 * Calls and questions, as many at once as given: when one is over the next is queued. And the log as it grows, which
 * says who is back at work.
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import { defaultSessionConfig, type SessionConfig } from "../../contract/Session.ts"
import type { Logged } from "../../kernel/Actor.ts"
import { Bus } from "../../kernel/Bus.ts"
import { logged } from "../../kernel/Envelope.ts"
import { queue } from "../../launcher/Call.ts"
import type { Asked } from "./Audit.ts"
import { randomFrom } from "./Plan.ts"
import type { Wave } from "./Waves.ts"

const STREAMS = ["CALLS", "ASSISTANT"] as const
const POLL = "150 millis"
/** Milliseconds after which a session no longer holds up the next one; the audit will say what became of it. */
const STALE_MS = 60_000

const config = (outputFolder: string): SessionConfig => ({
  ...defaultSessionConfig,
  transcriber: { ...defaultSessionConfig.transcriber, engine: "testkit" },
  reasoner: { ...defaultSessionConfig.reasoner, engine: "testkit" },
  speaker: { ...defaultSessionConfig.speaker, engine: "testkit" },
  outputFolder
})

/** Everything that the log holds now. */
export const readLog = Effect.gen(function* () {
  const bus = yield* Bus
  const records = yield* Effect.forEach(STREAMS, (stream) => Stream.runCollect(bus.read(stream, { filters: [">"] })))
  return yield* Effect.forEach(records.flat(), logged)
})

interface Open extends Asked {
  readonly since: number
  sentences?: number
  spoken: number
}

export interface Workload {
  readonly asked: ReadonlyArray<Asked>
  readonly open: () => number
  /** Epoch milliseconds at which the log took the newest event of an actor; 0 before the first. */
  readonly lastOf: (actor: string) => number
  /** Queues nothing new, waits until all is over or nothing has moved for so long. */
  readonly drain: (patienceMs: number) => Effect.Effect<boolean>
}

/** Starts the work in the current scope. */
export const startWorkload = Effect.fnUntraced(function* (options: {
  readonly waves: ReadonlyArray<Wave>
  readonly calls: number
  readonly turns: number
  readonly seed: number
  readonly outputFolder: string
}) {
  const bus = yield* Bus
  const random = randomFrom(options.seed + 1)
  const settings = config(options.outputFolder)
  const asked: Array<Asked> = []
  const open = new Map<string, Open>()
  const newest = new Map<string, number>()
  const next = new Map<string, number>()
  const state = { stopped: false }
  let movedAt = 0

  const isOver = ({ event }: Logged, session: Open): boolean => {
    if (event._tag === "bundle.ready") return true
    if (event._tag === "text.rejected") return session.wave.mode === "assistant"
    if (event._tag === "reply.ready") session.sentences = event.sentences
    if (event._tag === "speech.synthesized") session.spoken += 1
    return session.sentences !== undefined && session.spoken >= session.sentences
  }

  const see = (entry: Logged) => {
    newest.set(entry.actor, Math.max(entry.time, newest.get(entry.actor) ?? 0))
    const session = "session" in entry.event ? open.get(entry.event.session) : undefined
    if (session !== undefined && isOver(entry, session)) open.delete(session.session)
  }

  const look = Effect.forEach(STREAMS, (stream) =>
    bus.range(stream, ">", next.get(stream) ?? 1, Number.MAX_SAFE_INTEGER).pipe(
      Stream.mapEffect(logged),
      Stream.runForEach((entry) =>
        Effect.map(Clock.currentTimeMillis, (now) => {
          movedAt = now
          next.set(stream, entry.sequence + 1)
          see(entry)
        })
      ),
      // The server is being killed, and an empty stream has no range.
      Effect.ignore
    )
  )

  const ask = Effect.fnUntraced(function* (mode: Wave["mode"]) {
    const waves = options.waves.filter((wave) => wave.mode === mode)
    const wave = waves[Math.floor(random() * waves.length)]
    if (wave === undefined) return
    const kind = mode === "call" ? "import" : "ask"
    const session = yield* queue({ mode, kind, path: wave.path, title: wave.name, config: settings })
    asked.push({ session, wave })
    open.set(session, { session, wave, since: yield* Clock.currentTimeMillis, spoken: 0 })
  })

  const fill = Effect.gen(function* () {
    const now = yield* Clock.currentTimeMillis
    for (const [session, { since }] of open) if (now - since > STALE_MS && !state.stopped) open.delete(session)
    const running = (mode: Wave["mode"]) => [...open.values()].filter(({ wave }) => wave.mode === mode).length
    while (!state.stopped && running("call") < options.calls) yield* ask("call")
    while (!state.stopped && running("assistant") < options.turns) yield* ask("assistant")
  }).pipe(
    Effect.provideService(Bus, bus),
    Effect.catch((failure) => Effect.logWarning(`queueing: ${failure.message}`))
  )

  yield* Effect.forever(look.pipe(Effect.andThen(Effect.sleep(POLL)))).pipe(Effect.forkScoped)
  yield* Effect.forever(fill.pipe(Effect.andThen(Effect.sleep(POLL)))).pipe(Effect.forkScoped)

  const workload: Workload = {
    asked,
    open: () => open.size,
    lastOf: (actor) => newest.get(actor) ?? 0,
    drain: Effect.fnUntraced(function* (patienceMs) {
      state.stopped = true
      movedAt = yield* Clock.currentTimeMillis
      // A session that was being queued in this moment.
      yield* Effect.sleep("1 second")
      while (open.size > 0) {
        if ((yield* Clock.currentTimeMillis) - movedAt > patienceMs) return false
        yield* Effect.sleep("200 millis")
      }
      return true
    })
  }
  return workload
})
