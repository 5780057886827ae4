/**
 * Past events of a session. A short history is one look-up (every event has a subject of its own, so "the newest of each
 * subject" is all of them); a long one is read from the stream.
 */
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import type { EventOf, EventTag } from "../contract/Events.ts"
import type { Mode, SessionId } from "../contract/Session.ts"
import { eventStream } from "../contract/Subjects.ts"
import type { Logged } from "./Actor.ts"
import { Bus } from "./Bus.ts"
import { historyFilters, isOneOf, logged } from "./Envelope.ts"
import type { Retryable } from "./Failure.ts"

/** Most subjects a look-up returns. */
const LOOK_UP_LIMIT = 1_000

/** Events of a session, of these kinds, in order. Events of a newer version that cannot be read are left out. */
export const history = Effect.fnUntraced(function* <T extends EventTag>(
  mode: Mode,
  session: SessionId,
  tags: ReadonlyArray<T>
): Effect.fn.Return<ReadonlyArray<Logged<EventOf<T>>>, Retryable, Bus> {
  const bus = yield* Bus
  const stream = eventStream(mode)
  const filters = historyFilters(tags, mode, session)
  const read = Stream.runCollect(bus.read(stream, { filters }))
  const found = yield* bus.last(stream, filters).pipe(
    Effect.flatMap((recorded) => (recorded.length >= LOOK_UP_LIMIT ? read : Effect.succeed(recorded))),
    Effect.catch(() => read)
  )
  const events = yield* Effect.forEach(found, (recorded) => Effect.option(logged(recorded)))
  return events.flatMap((each) => (each._tag === "Some" && isOneOf(tags)(each.value) ? [each.value] : []))
})
