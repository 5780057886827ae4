/**
 * Past events of a session. A short history is one look-up (every event has a subject of its own, so "the newest of each
 * subject" is all of them); a long one is read from the stream.
 *
 * A replica of a cluster may be behind, so the event in hand is asked for along with its past: an answer without it is
 * from a replica that has not got so far, and is asked for again.
 */
import * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"
import * as Stream from "effect/Stream"
import type { EventOf, EventTag } from "../contract/Events.ts"
import type { Mode, SessionId } from "../contract/Session.ts"
import { eventStream, filterOf } from "../contract/Subjects.ts"
import type { Logged } from "./Actor.ts"
import { Bus, type Recorded } from "./Bus.ts"
import { historyFilters, isOneOf, logged } from "./Envelope.ts"
import type { Retryable } from "./Failure.ts"

/** Most subjects a look-up returns. */
const LOOK_UP_LIMIT = 1_000

/** Filters of a history are a subject, or a subject and everything below it; overlapping ones are refused by the server. */
const covers = (filter: string, subject: string): boolean =>
  filter.endsWith(".>") ? subject.startsWith(filter.slice(0, -1)) : filter === subject

/** How long a replica may take to catch up; after that the event in hand is taken to be deleted. */
const PATIENCE = Schedule.spaced("20 millis").pipe(Schedule.upTo({ duration: "1 second" }))

/**
 * Events of a session, of these kinds, in order. Events of a newer version that cannot be read are left out.
 *
 * @param witness a message of the same stream that the past must reach
 */
const readable = Effect.fnUntraced(function* <T extends EventTag>(found: ReadonlyArray<Recorded>, tags: ReadonlyArray<T>) {
  const events = yield* Effect.forEach(found, (recorded) => Effect.option(logged(recorded)))
  return events.flatMap((each) => (each._tag === "Some" && isOneOf(tags)(each.value) ? [each.value] : []))
})

/** Events of a session, of these kinds, in order. Events of a newer version that cannot be read are left out. */
export const history = Effect.fnUntraced(function* <T extends EventTag>(
  mode: Mode,
  session: SessionId,
  tags: ReadonlyArray<T>,
  witness?: Pick<Recorded, "subject" | "sequence">
): Effect.fn.Return<ReadonlyArray<Logged<EventOf<T>>>, Retryable, Bus> {
  const bus = yield* Bus
  const stream = eventStream(mode)
  const wanted = historyFilters(tags, mode, session)
  const covered = witness === undefined || wanted.some((filter) => covers(filter, witness.subject))
  const filters = covered ? wanted : [...wanted, witness.subject]
  const read = Stream.runCollect(bus.read(stream, { filters }))
  const found = yield* bus.last(stream, filters).pipe(
    Effect.flatMap((recorded) => (recorded.length >= LOOK_UP_LIMIT ? read : Effect.succeed(recorded))),
    Effect.catch(() => read),
    Effect.repeat({
      until: (recorded) => witness === undefined || recorded.some(({ sequence }) => sequence >= witness.sequence),
      schedule: PATIENCE
    })
  )
  return yield* readable(found, tags)
})

/** Events of all sessions of a mode, of these kinds, in order, from a sequence on. */
export const everything = Effect.fnUntraced(function* <T extends EventTag>(
  mode: Mode,
  tags: ReadonlyArray<T>,
  from: number
): Effect.fn.Return<ReadonlyArray<Logged<EventOf<T>>>, Retryable, Bus> {
  const bus = yield* Bus
  const filters = tags.map((tag) => filterOf(tag, mode))
  return yield* readable(yield* Stream.runCollect(bus.read(eventStream(mode), { filters, from })), tags)
})
