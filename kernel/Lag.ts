/**
 * How far behind an actor is: measured from its consumers, said on the bus when it changes, shown as metrics. Nothing is
 * dropped when work comes faster than it is done: the log keeps it, and this is how one sees that another worker helps.
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Metric from "effect/Metric"
import * as Schedule from "effect/Schedule"
import { ulid } from "ulid"
import type { Lane } from "../contract/ActorCommands.ts"
import type { LagLevel } from "../contract/Events.ts"
import type { Actor } from "./Actor.ts"
import { Bus } from "./Bus.ts"
import { encode } from "./Envelope.ts"
import type { Retryable } from "./Failure.ts"
import { consumersOf } from "./Runtime.ts"

const EVERY = "2 seconds"
/** Rounds after which an actor that is still behind says so again. */
const AGAIN = 5
const BEHIND = { oldestMs: 5_000, pending: 50 }
const FAR_BEHIND = { oldestMs: 30_000, pending: 500 }

type Consuming = Pick<Actor, "name" | "consumes">

/** The lanes of an actor, one for each mode. A lane without a consumer yet is left out. */
export const lanesOf = Effect.fnUntraced(function* (actor: Consuming): Effect.fn.Return<ReadonlyArray<Lane>, never, Bus> {
  const bus = yield* Bus
  const now = yield* Clock.currentTimeMillis
  const specs = consumersOf(actor, 0)
  const lanes = yield* Effect.forEach(
    actor.consumes,
    ({ mode }, index): Effect.Effect<ReadonlyArray<Lane>, Retryable> => {
      const spec = specs[index]
      if (spec === undefined) return Effect.succeed([])
      return Effect.map(bus.backlog(spec), ({ oldest, ...rest }) => [
        { mode, ...rest, oldestMs: oldest === undefined ? 0 : Math.max(0, Math.round(now - oldest)) }
      ])
    },
    { concurrency: "unbounded" }
  ).pipe(Effect.orElseSucceed(() => []))
  return lanes.flat()
})

/** All lanes together. */
export const lagOf = (lanes: ReadonlyArray<Lane>) => ({
  pending: lanes.reduce((sum, lane) => sum + lane.pending, 0),
  inFlight: lanes.reduce((sum, lane) => sum + lane.inFlight, 0),
  oldestMs: Math.max(0, ...lanes.map((lane) => lane.oldestMs))
})

/** A unit that is being worked on is not behind, however long it takes: only what waits counts. */
export const levelOf = (lanes: ReadonlyArray<Lane>): LagLevel => {
  const waiting = lagOf(lanes.filter((lane) => lane.pending > 0))
  const reached = (limit: typeof BEHIND) => waiting.oldestMs >= limit.oldestMs || waiting.pending >= limit.pending
  return reached(FAR_BEHIND) ? "far-behind" : reached(BEHIND) ? "behind" : "ok"
}

const gauge = (name: string, actor: string) => Metric.withAttributes(Metric.gauge(`voxbus_lag_${name}`), { actor })

/** Measures these actors until it is interrupted. Never fails: while the bus is away there is nothing to measure. */
export const watchLag = Effect.fnUntraced(function* (actors: ReadonlyArray<Consuming>) {
  const bus = yield* Bus
  const said = new Map<string, { readonly level: LagLevel; readonly round: number }>()
  let round = 0

  const measure = Effect.fnUntraced(function* (actor: Consuming) {
    const lanes = yield* lanesOf(actor)
    const lag = lagOf(lanes)
    const level = levelOf(lanes)
    yield* Metric.update(gauge("events", actor.name), lag.pending)
    yield* Metric.update(gauge("in_flight", actor.name), lag.inFlight)
    yield* Metric.update(gauge("oldest_seconds", actor.name), lag.oldestMs / 1000)
    const before = said.get(actor.name) ?? { level: "ok", round: 0 }
    if (level === before.level && (level === "ok" || round - before.round < AGAIN)) return
    said.set(actor.name, { level, round })
    const event = { _tag: "lag.changed", v: 1, actor: actor.name, level, ...lag } as const
    yield* bus.publish(yield* encode(event, { actor: "launcher", cause: "", messageId: `lag:${ulid()}` }))
    if (level !== before.level) {
      yield* (level === "ok" ? Effect.logInfo : Effect.logWarning)("lag changed").pipe(
        Effect.annotateLogs({ actor: actor.name, level, pending: lag.pending, oldestMs: lag.oldestMs })
      )
    }
  })

  yield* Effect.suspend(() => {
    round += 1
    return Effect.forEach(actors, measure, { discard: true })
  }).pipe(
    Effect.catch((failure) => Effect.logDebug("lag not measured").pipe(Effect.annotateLogs({ reason: failure.message }))),
    Effect.repeat(Schedule.spaced(EVERY))
  )
})
