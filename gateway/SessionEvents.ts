/** The events of one session as a request waits for them: from the first on, ended by what an actor could not do. */
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import type { SessionEvent } from "../contract/Events.ts"
import type { Mode, SessionId } from "../contract/Session.ts"
import { eventStream, sessionFilters } from "../contract/Subjects.ts"
import type { Bus } from "../kernel/Bus.ts"
import { decode } from "../kernel/Envelope.ts"
import { type Failure, Terminal } from "../kernel/Failure.ts"

/** Without any event for so long a request is given up. */
const PATIENCE = "3 minutes"

export const stalled = new Terminal({ code: "turn.stalled", message: "There was no progress for 3 minutes." })

/** What an actor could not do, as a failure. */
export const raised = (event: SessionEvent): Effect.Effect<void, Terminal> =>
  event._tag === "error.raised" ? Effect.fail(new Terminal({ code: event.code, message: event.message })) : Effect.void

/** Everything that happens in it, for as long as somebody listens. */
export const sessionEvents = (bus: typeof Bus.Service, mode: Mode, session: SessionId): Stream.Stream<SessionEvent, Failure> =>
  bus.tail(eventStream(mode), { filters: sessionFilters(mode, session), from: 1 }).pipe(
    Stream.mapEffect(decode),
    Stream.filter((event): event is SessionEvent => "session" in event)
  )

/** Fails with what an actor could not do, and when nothing happens for too long. */
export const orFailure = (events: Stream.Stream<SessionEvent, Failure>): Stream.Stream<SessionEvent, Failure> =>
  events.pipe(Stream.tap(raised), Stream.timeoutOrElse({ duration: PATIENCE, orElse: () => Stream.fail<Failure>(stalled) }))
