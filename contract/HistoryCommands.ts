/**
 * The past of a session: as it was at any event, done again with today's actors, or transcribed once more.
 */
import * as Schema from "effect/Schema"
import { command } from "./Command.ts"
import { Coverage } from "./Events.ts"
import { Mode, SessionConfig, SessionId } from "./Session.ts"

const Count = Schema.Int.check(Schema.isGreaterThanOrEqualTo(0))
const Sequence = Schema.Int.check(Schema.isGreaterThanOrEqualTo(1))

export const ShowSession = command("sessions.show", {
  request: Schema.Struct({
    session: SessionId,
    /** Place in the session's stream: what came after it is left out. Absent: now. */
    at: Schema.optionalKey(Sequence)
  }),
  reply: Schema.Struct({
    session: SessionId,
    mode: Mode,
    title: Schema.String,
    /** Of a call IDLE, INITIALIZING, RECORDING, NORMALIZING, TRANSCRIBING, BUNDLING, COMPLETED or ERROR; of a conversation IDLE, LISTENING, TRANSCRIBING, THINKING, SPEAKING or ERROR. */
    state: Schema.String,
    /** Sequence, subject and time (ISO 8601) of the last event that counts, and how many do. */
    at: Sequence,
    subject: Schema.String,
    time: Schema.String,
    events: Count,
    /** What has been understood: of a call the transcript so far, of a conversation what the user said. */
    text: Schema.String,
    /** Which version of the transcript this is, of a call. */
    version: Schema.optionalKey(Count),
    /** Of a call: how much of the detected speech is in the text; chunks that are not settled are gaps (`pending`). */
    coverage: Schema.optionalKey(Coverage),
    /** Of a conversation: the messages that the model would be sent with the next question. */
    context: Schema.optionalKey(
      Schema.Array(Schema.Struct({ role: Schema.Literals(["system", "user", "assistant", "tool"]), content: Schema.String }))
    ),
    config: SessionConfig
  }),
  changes: false,
  means: "State, context and text of a session as of any of its events."
})

export const STAGES = ["normalizer", "transcriber", "reasoner", "speaker", "bundler"] as const
export const Stage = Schema.Literals(STAGES)
export type Stage = typeof Stage.Type

/** The same thing said twice, compared word by word. */
export const TextComparison = Schema.Struct({
  what: Schema.Literals(["transcript", "question", "reply"]),
  /** Version of the transcript, or number of the turn. */
  number: Count,
  before: Schema.String,
  after: Schema.String,
  /** Words, in order; `same` ones too. */
  changes: Schema.Array(Schema.Struct({ kind: Schema.Literals(["same", "added", "removed"]), text: Schema.String })),
  same: Count,
  added: Count,
  removed: Count
})

/** Milliseconds from a stage's first input to its last output, and what its engine computed, where events say it. */
const Spent = Schema.Struct({ ms: Schema.Finite, computeMs: Schema.Finite })

export const ReplaySession = command("sessions.replay", {
  request: Schema.Struct({
    session: SessionId,
    /** The first stage that works again; everything before it is taken from the log. By default the normalizer. */
    fromStage: Schema.optionalKey(Stage),
    /** Engine and model of the first stage that has one (transcriber, reasoner or speaker), instead of those recorded. */
    engine: Schema.optionalKey(Schema.String),
    model: Schema.optionalKey(Schema.String)
  }),
  reply: Schema.Struct({
    session: SessionId,
    mode: Mode,
    stages: Schema.Array(Stage),
    /** Every event is there again with the same bytes, but for the fields in `clocked`. */
    identical: Schema.Boolean,
    /** The same, but events count too that differ only in settings which today's contract has and the recorder did not know. */
    equivalent: Schema.Boolean,
    /** `upgraded`: how many events are the same in that second sense only. */
    events: Schema.Struct({ recorded: Count, replayed: Count, identical: Count, upgraded: Count }),
    /** The first 200 events that are not the same. */
    differences: Schema.Array(Schema.Struct({ subject: Schema.String, kind: Schema.Literals(["changed", "missing", "new"]) })),
    /** Codes of what failed. */
    errors: Schema.Struct({ recorded: Schema.Array(Schema.String), replayed: Schema.Array(Schema.String) }),
    /** Turns that a person cut short (where is not in the log) or that called tools: their answers are taken from the log. */
    cutTurns: Schema.Array(Count),
    texts: Schema.Array(TextComparison),
    timings: Schema.Array(Schema.Struct({ stage: Stage, events: Count, recorded: Spent, replayed: Spent })),
    clocked: Schema.Record(Schema.String, Schema.Array(Schema.String))
  }),
  changes: false,
  means: "Runs the recorded inputs of a session through today's actors, beside the log, and compares. Answers when it is done."
})
export type ReplayReport = (typeof ReplaySession)["reply"]["Type"]

export const RetranscribeSession = command("sessions.retranscribe", {
  request: Schema.Struct({
    session: SessionId,
    model: Schema.optionalKey(Schema.NonEmptyString),
    engine: Schema.optionalKey(Schema.String),
    language: Schema.optionalKey(Schema.String)
  }),
  reply: Schema.Struct({ session: SessionId, version: Sequence, chunks: Count }),
  changes: true,
  means:
    "Asks for a further version of a call's transcript, beside the old ones. Its events tell how it goes; `bundle.ready` of that version ends it."
})
