/**
 * How calls go, for a client that does not want to read the log: messages made of the events of all calls, or of one.
 *
 * | topic | message | fields |
 * |---|---|---|
 * | `state` | `state_change` | `state` (lower case; `idle` when nothing is recorded), `session?`, `title?`, `previous?` |
 * | `timer` | `timer` | `formatted` (`hh:mm:ss`), `seconds` recorded, `session`; once a second while a call is recorded |
 * | `progress` | `processing_progress` | `percent`, `stage`, `session`; at most ten a second, the newest is never held back for good |
 * | `transcript` | `partial_transcript` | `text`, `is_final`, `session`, `unit`; `start`, `end` in seconds when it is final |
 * | `recording` | `recording_complete` | `recording_id` (the session), `preview`: the beginning of what was said |
 * | `error` | `error` | as everywhere, with `session` |
 * | `queue` | `queue_status` | `counts`: jobs by state |
 * | `call` | `call_detected` | `process`, `started` |
 *
 * `sequence` is the place in `CALLS` that a message comes from: a client that subscribes again with `from` one above the
 * last it saw misses nothing. Progress and timer say how things are now, so they are not repeated.
 */
import * as Schema from "effect/Schema"
import { CallPhase } from "../../contract/RecordingCommands.ts"
import { SessionId } from "../../contract/Session.ts"

export const TOPICS = ["state", "timer", "progress", "transcript", "recording", "error", "queue", "call"] as const
export type Topic = (typeof TOPICS)[number]

const Count = Schema.Int.check(Schema.isGreaterThanOrEqualTo(0))
const place = { sequence: Schema.optionalKey(Count) } as const

/** A state as the messages write it. */
export type CallStateName = Lowercase<CallPhase>
const StateName = Schema.Literals(
  CallPhase.literals.map((phase) => phase.toLowerCase() as CallStateName) as unknown as readonly [CallStateName, ...Array<CallStateName>]
)

export const CALL_MESSAGES = [
  Schema.Struct({
    type: Schema.Literal("state_change"),
    state: StateName,
    previous: Schema.optionalKey(StateName),
    session: Schema.optionalKey(SessionId),
    title: Schema.optionalKey(Schema.String),
    ...place
  }),
  Schema.Struct({ type: Schema.Literal("timer"), session: SessionId, formatted: Schema.String, seconds: Schema.Finite }),
  Schema.Struct({
    type: Schema.Literal("processing_progress"),
    session: SessionId,
    percent: Schema.Finite,
    stage: StateName,
    ...place
  }),
  Schema.Struct({
    type: Schema.Literal("partial_transcript"),
    session: SessionId,
    unit: Count,
    text: Schema.String,
    is_final: Schema.Boolean,
    start: Schema.optionalKey(Schema.Finite),
    end: Schema.optionalKey(Schema.Finite),
    ...place
  }),
  Schema.Struct({ type: Schema.Literal("recording_complete"), recording_id: SessionId, preview: Schema.String, ...place }),
  Schema.Struct({ type: Schema.Literal("queue_status"), counts: Schema.Record(Schema.String, Count) }),
  Schema.Struct({ type: Schema.Literal("call_detected"), process: Schema.String, started: Schema.Boolean })
] as const
export type CallMessage = (typeof CALL_MESSAGES)[number]["Type"]
