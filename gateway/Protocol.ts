/**
 * What travels over `/ws`: JSON text messages both ways, and binary frames of audio (`s16le`, little-endian).
 *
 * | client sends | fields | means |
 * |---|---|---|
 * | `hello` | `session?` | go on with a session of the log; without it a new one opens at the first question |
 * | `subscribe` | `subjects`, `from?` | push these events too; replaces the subjects asked for before |
 * | `utterance.start` | `sampleRate`, `channels?`, `session?` | binary frames follow, interleaved `s16le` |
 * | `utterance.end` | | the question is complete |
 * | `utterance.cancel` | | forget what was recorded |
 * | `ask` | `text`, `session?` | a typed question |
 * | `played` | `turn`, `generation`, `samples`, `sentences`, `interrupted` | what was really heard of the answer |
 * | `cancel` | `turn` | drop the rest of this turn everywhere |
 * | `ping` | | answered by `pong` |
 *
 * | server sends | fields | means |
 * |---|---|---|
 * | `ready` | `session?`, `version` | connected; again, with `session`, when a session is bound |
 * | `turn` | `turn?`, `state` | LISTENING (no number yet), TRANSCRIBING, THINKING, SPEAKING, IDLE |
 * | `transcript` | `turn`, `text` | the question in words |
 * | `rejected` | `turn`, `reason`, `message` | there were no words; the message is for a person |
 * | `reply` | `turn`, `generation`, `sentence`, `text` | one sentence of the answer, from 1 |
 * | `reply.done` | `turn`, `generation`, `text` | the whole answer |
 * | `speech` | `turn`, `generation`, `sentence`, `sampleRate`, `samples`, `bytes` | binary frames with exactly `bytes` follow |
 * | `speech.done` | `turn`, `generation` | no more audio for this turn |
 * | `event` | `subject`, `stream`, `sequence`, `time`, `event` | an event of a subscribed subject, as the log has it |
 * | `error` | `code`, `message`, `fix`, `recoverable`, `turn?` | what went wrong and what to do; the socket stays open |
 * | `pong` | | |
 *
 * The socket is closed with 1013 when a client reads too slowly, and with 1009 after a message over 8 MiB.
 */
import * as Schema from "effect/Schema"
import { ErrorCode, ERRORS } from "../contract/Errors.ts"
import { RejectReason, Samples } from "../contract/Events.ts"
import { SessionId } from "../contract/Session.ts"
import type { StreamName } from "../contract/Subjects.ts"

/** Largest message a client may send, bytes. */
export const MAX_MESSAGE_BYTES = 1024 * 1024
/** Longest utterance, seconds. */
export const MAX_UTTERANCE_SECONDS = 600
/** Largest binary frame the server sends, bytes. */
export const AUDIO_FRAME_BYTES = 64 * 1024

/** Streams whose events can be subscribed. */
export const EVENT_STREAMS = ["CALLS", "ASSISTANT", "HOST"] as const satisfies ReadonlyArray<StreamName>

const Turn = Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 999_999 }))
const Count = Schema.Int.check(Schema.isGreaterThanOrEqualTo(0))
const session = Schema.optionalKey(SessionId)

/** A NATS subject filter: tokens, `*` for one, `>` for all that follow. */
export const SubjectFilter = Schema.String.check(
  Schema.isMaxLength(256),
  Schema.isPattern(/^(>|([A-Za-z0-9_-]+|\*)(\.([A-Za-z0-9_-]+|\*))*(\.>)?)$/)
)

const message = <const T extends string, F extends Schema.Struct.Fields>(type: T, fields: F) =>
  Schema.Struct({ type: Schema.Literal(type), ...fields })

export const ClientMessage = Schema.Union([
  message("hello", { session }),
  message("subscribe", {
    subjects: Schema.Array(SubjectFilter).check(Schema.isMaxLength(64)),
    /** First sequence wanted of one stream; the others begin with what is new. */
    from: Schema.optionalKey(
      Schema.Struct({ stream: Schema.Literals(EVENT_STREAMS), sequence: Schema.Int.check(Schema.isGreaterThanOrEqualTo(1)) })
    )
  }),
  message("utterance.start", {
    /** Hertz. */
    sampleRate: Schema.Int.check(Schema.isBetween({ minimum: 8_000, maximum: 192_000 })),
    channels: Schema.optionalKey(Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 2 }))),
    session
  }),
  message("utterance.end", {}),
  message("utterance.cancel", {}),
  message("ask", { text: Schema.Trim.check(Schema.isMinLength(1), Schema.isMaxLength(20_000)), session }),
  message("played", {
    turn: Turn,
    generation: Count,
    /** Samples played of all the turn's audio, at its own rate. */
    samples: Samples,
    /** Sentences played to their end. */
    sentences: Count,
    interrupted: Schema.Boolean
  }),
  message("cancel", { turn: Turn }),
  message("ping", {})
])
export type ClientMessage = typeof ClientMessage.Type
export type ClientMessageOf<T extends ClientMessage["type"]> = Extract<ClientMessage, { readonly type: T }>

export const TurnState = Schema.Literals(["LISTENING", "TRANSCRIBING", "THINKING", "SPEAKING", "IDLE"])
export type TurnState = typeof TurnState.Type

const ofTurn = { turn: Turn } as const
const ofReply = { turn: Turn, generation: Count } as const

export const ServerMessage = Schema.Union([
  message("ready", { session, version: Schema.String }),
  message("turn", { turn: Schema.optionalKey(Turn), state: TurnState }),
  message("transcript", { ...ofTurn, text: Schema.String }),
  message("rejected", { ...ofTurn, reason: RejectReason, message: Schema.String }),
  message("reply", { ...ofReply, sentence: Turn, text: Schema.String }),
  message("reply.done", { ...ofReply, text: Schema.String }),
  message("speech", { ...ofReply, sentence: Turn, sampleRate: Schema.Int, samples: Samples, bytes: Count }),
  message("speech.done", ofReply),
  message("event", {
    subject: Schema.String,
    stream: Schema.Literals(EVENT_STREAMS),
    sequence: Count,
    /** When the log took it, epoch milliseconds. */
    time: Schema.Finite,
    event: Schema.Unknown
  }),
  message("error", {
    code: ErrorCode,
    message: Schema.String,
    fix: Schema.String,
    recoverable: Schema.Boolean,
    turn: Schema.optionalKey(Turn)
  }),
  message("pong", {})
])
export type ServerMessage = typeof ServerMessage.Type

/** An `error` message; the fix comes from the table of error codes. */
export const problem = (code: ErrorCode, text: string, turn?: number): ServerMessage => ({
  type: "error",
  code,
  message: text,
  fix: ERRORS[code].fix,
  recoverable: ERRORS[code].recoverable,
  ...(turn === undefined ? {} : { turn })
})
