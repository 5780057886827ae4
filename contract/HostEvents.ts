/** What went wrong, and how the actors and the host are. */
import * as Schema from "effect/Schema"
import { ErrorCode } from "./Errors.ts"
import { Count, Unit, base } from "./EventBase.ts"
import { SessionId } from "./Session.ts"

export const JobFailed = Schema.TaggedStruct("job.failed", {
  ...base,
  code: ErrorCode,
  message: Schema.String
})

export const ErrorRaised = Schema.TaggedStruct("error.raised", {
  ...base,
  actor: Schema.String,
  unit: Schema.optionalKey(Unit),
  code: ErrorCode,
  /** For a person; names no content. */
  message: Schema.String,
  recoverable: Schema.Boolean,
  /** The event that could not be handled, `stream:sequence`. */
  cause: Schema.String,
  /** Its subject: what is missing now. */
  subject: Schema.String,
  attempts: Count,
  /** Number of the dead letter that was tried again in vain; absent the first time. */
  retry: Schema.optionalKey(Count)
})

/** Of a host, not of a session: subject `health.changed.host.<actor>`. */
export const HealthChanged = Schema.TaggedStruct("health.changed", {
  v: Schema.Literal(1),
  actor: Schema.String,
  status: Schema.Literals(["starting", "ready", "degraded", "down"]),
  detail: Schema.String
})

/** `behind`: work waits for 5 s or 50 events; `far-behind`: for 30 s or 500. */
export const LagLevel = Schema.Literals(["ok", "behind", "far-behind"])
export type LagLevel = typeof LagLevel.Type

/**
 * Of a host: subject `lag.changed.host.<actor>`. Said when the level changes, and every 10 s while it is not `ok`.
 * Nothing is dropped meanwhile: the log keeps what waits.
 */
export const LagChanged = Schema.TaggedStruct("lag.changed", {
  v: Schema.Literal(1),
  actor: Schema.String,
  level: LagLevel,
  /** Events that nobody has taken, and that are worked on. */
  pending: Count,
  inFlight: Count,
  /** Age of the oldest event that is not settled, milliseconds. */
  oldestMs: Count
})

/** Of a host: subject `call.detected.host.<application>`. */
export const CallDetected = Schema.TaggedStruct("call.detected", {
  v: Schema.Literal(1),
  application: Schema.String,
  started: Schema.Boolean,
  /** Names this call until it has ended. */
  call: Schema.optionalKey(Schema.String),
  /** Somebody should say whether it is to be recorded (`detection.answer`). */
  asks: Schema.optionalKey(Schema.Boolean),
  /** How long it took, when it has ended. */
  seconds: Schema.optionalKey(Schema.Finite),
  /** The session that recorded it, if one did. */
  recordedAs: Schema.optionalKey(SessionId)
})
