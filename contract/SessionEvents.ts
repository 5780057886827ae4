/** Jobs and sessions: a call waits, begins, ends; its language. What happens to a live recording is in `RecordingEvents.ts`. */
import * as Schema from "effect/Schema"
import { Count, Priority, Ratio, Sha256, Source, Unit, base } from "./EventBase.ts"
import { LiveSource } from "./RecordingEvents.ts"
import { SessionConfig, SessionId, TicketId } from "./Session.ts"

export const JobQueued = Schema.TaggedStruct("job.queued", {
  ...base,
  kind: Schema.Literals(["import", "ask"]),
  /** Absolute path of the file on the host of the capture actor. */
  path: Schema.optionalKey(Schema.String),
  /** A typed question, in place of audio (kind `ask`). */
  text: Schema.optionalKey(Schema.String.check(Schema.isMaxLength(20_000))),
  title: Schema.String,
  ticket: Schema.optionalKey(TicketId),
  config: SessionConfig,
  /** 0 (when nothing else is to do) to 9 (first); 5 when absent. Calls only: a question is never queued. */
  priority: Schema.optionalKey(Priority),
  /** Of the file when it was imported. */
  sha256: Schema.optionalKey(Sha256),
  /** The caller's name for this request: the same name again is the same job, for ever. */
  key: Schema.optionalKey(Schema.NonEmptyString.check(Schema.isMaxLength(200))),
  /** The job that this one does again, with the same parameters. */
  retryOf: Schema.optionalKey(SessionId)
})

/** The job's turn has come: the capture actor takes it. */
export const JobStarted = Schema.TaggedStruct("job.started", { ...base })

/** The job's place in the queue from now on; the newest revision counts. */
export const JobArranged = Schema.TaggedStruct("job.arranged", {
  ...base,
  revision: Count,
  priority: Priority,
  /** Jobs of one priority start in ascending order of this number; the log sequence of `job.queued` until it is moved. */
  order: Schema.Finite,
  /** It is not started while this is true. */
  held: Schema.Boolean
})

/** Nobody wants it any more: it is not started, what has begun is left unfinished, nothing is written. */
export const JobCancelled = Schema.TaggedStruct("job.cancelled", { ...base })

export const SessionOpened = Schema.TaggedStruct("session.opened", {
  ...base,
  title: Schema.String,
  ticket: Schema.optionalKey(TicketId),
  source: Source,
  /** Set when it is recorded live: frames follow until the end marker in the frames stream. */
  live: Schema.optionalKey(LiveSource),
  config: SessionConfig,
  /** When the session began, ISO 8601. */
  at: Schema.String
})

export const SessionClosed = Schema.TaggedStruct("session.closed", {
  ...base,
  reason: Schema.Literals(["complete", "stopped", "cancelled", "interrupted"]),
  /** How many `audio.captured` the session has. */
  captured: Count
})

/** The language of the call, from its first chunk that was sure of it: every later chunk is decoded in this one. */
export const LanguagePinned = Schema.TaggedStruct("language.pinned", {
  ...base,
  language: Schema.String,
  probability: Ratio,
  /** The chunk it was heard in. */
  unit: Unit
})
