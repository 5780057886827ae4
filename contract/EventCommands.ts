/** The log itself: one event, or those of a session, with where they come from. */
import * as Schema from "effect/Schema"
import { command } from "./Command.ts"
import { SessionId } from "./Session.ts"

const Sequence = Schema.Int.check(Schema.isGreaterThanOrEqualTo(1))

export const LoggedEvent = Schema.Struct({
  stream: Schema.Literals(["CALLS", "ASSISTANT", "HOST"]),
  sequence: Sequence,
  subject: Schema.String,
  /** When the log took it, epoch milliseconds. */
  time: Schema.Finite,
  /** Who published it. */
  actor: Schema.String,
  /** The event that it follows from, `stream:sequence`; empty for the first. */
  cause: Schema.String,
  event: Schema.Unknown
})
export type LoggedEvent = typeof LoggedEvent.Type

export const GetEvent = command("events.get", {
  request: Schema.Struct({ stream: LoggedEvent.fields.stream, sequence: Sequence }),
  reply: LoggedEvent,
  changes: false,
  means: "One event of the log by its place.",
  http: { method: "GET", path: "/events/:stream/:sequence" }
})

export const SessionEvents = command("sessions.events", {
  request: Schema.Struct({
    session: SessionId,
    /** First sequence wanted; 1 when absent. */
    from: Schema.optionalKey(Sequence),
    /** At most so many, 500 when absent; `next` goes on. */
    limit: Schema.optionalKey(Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 1000 })))
  }),
  reply: Schema.Struct({ events: Schema.Array(LoggedEvent), next: Schema.optionalKey(Sequence) }),
  changes: false,
  means: "The events of a session in order, a page at a time.",
  http: { method: "GET", path: "/sessions/:session/events" }
})
