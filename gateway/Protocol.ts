/**
 * What travels over `/ws`: JSON text messages both ways, and binary frames of audio (`s16le`, little-endian).
 *
 * | client sends | fields | means |
 * |---|---|---|
 * | `hello` | `session?` | go on with a session of the log; without it a new one opens at the first question |
 * | `subscribe` | `subjects?`, `topics?`, `session?`, `from?` | push these events, or messages on these topics (`calls/Messages.ts`); each replaces what was asked for before |
 * | `utterance.start` | `sampleRate`, `channels?`, `session?` | binary frames follow, interleaved `s16le` |
 * | `utterance.end` | | the question is complete |
 * | `utterance.cancel` | | forget what was recorded |
 * | `listen` | `sampleRate`, `channels?`, `session?`, `echoCancellation?` | hands-free: binary frames follow without end, the server finds the questions in them |
 * | `listen.end` | | no longer |
 * | `ask` | `text`, `session?` | a typed question |
 * | `played` | `turn`, `generation`, `samples`, `sentences`, `interrupted` | what was really heard of the answer |
 * | `cancel` | `turn` | drop the rest of this turn everywhere |
 * | `stop` | | drop everything: the open utterance and every turn that is not over |
 * | `record.start` | `sampleRate`, `channels?`, `name?`, `title?`, `ticket?`, `idempotencyKey?` | record a call from this client; binary frames follow |
 * | `record.join` | `session`, `missed?` | go on with it on this connection, or only follow one from a device |
 * | `record.do` | `action`, `session?` | pause, resume, stop, cancel, discard, undo |
 * | `ping` | | answered by `pong` |
 *
 * | server sends | fields | means |
 * |---|---|---|
 * | `ready` | `session?`, `version` | connected; again, with `session`, when a session is bound |
 * | `turn` | `turn?`, `state` | LISTENING (no number yet), TRANSCRIBING, THINKING, SPEAKING, IDLE |
 * | `voice.started` | | hands-free: somebody speaks; hold what is being played, at once |
 * | `voice.ended` | `turn` | the question is complete, and is this turn |
 * | `voice.dropped` | | it was nothing: go on playing where you were |
 * | `interrupted` | `turn`, `generation` | this turn is over: stop playing, and send `played` with `interrupted` |
 * | `partial` | `turn`, `text` | the question so far, in words; may change |
 * | `transcript` | `turn`, `text` | the question in words |
 * | `rejected` | `turn`, `reason`, `message` | there were no words; the message is for a person |
 * | `reply` | `turn`, `generation`, `sentence`, `text` | one sentence of the answer, from 1 |
 * | `reply.done` | `turn`, `generation`, `text` | the whole answer |
 * | `speech` | `turn`, `generation`, `sentence`, `sampleRate`, `samples`, `bytes` | binary frames with exactly `bytes` follow |
 * | `speech.done` | `turn`, `generation` | no more audio for this turn |
 * | `event` | `subject`, `stream`, `sequence`, `time`, `actor`, `cause`, `event` | an event of a subscribed subject, as the log has it |
 * | `record.ack` | `session`, `state`, `samples`, `next` | of a recording: what is saved, and what to send next |
 * | `record.level` | `session`, `peak`, `rms` | dBFS per channel, ten times a second |
 * | `error` | `code`, `message`, `fix`, `recoverable`, `turn?`, `session?` | what went wrong and what to do; the socket stays open |
 * | `pong` | | |
 *
 * Without `echoCancellation` the microphone would hear the answer: then nothing is listened to while an answer plays (until
 * `played`, or as long as its audio lasts).
 *
 * **Recording.** Binary frames are interleaved `s16le` of whole samples; of two channels the first is this side of the call
 * ("me"), the second the others. `samples` and `next` count samples per channel at the rate of the source. A client keeps
 * what it sent until `samples` has passed it. It sends while `state` is `recording`; whenever `state` becomes `recording`,
 * also after `record.join` on a new connection, the next sample it sends is number `next`. What is said in a pause is left
 * out, and so is all audio that comes against this rule, until the client has been quiet for half a second.
 *
 * Several connections may join; the newest that sends audio is the one who sends, others are refused. A page that was
 * loaded anew and has lost what it kept joins with `missed: true`: the time is a gap. A client may be away for a minute
 * (`recording.graceSeconds`), then the call is closed and transcribed as far as it is there. While a connection records, its
 * binary frames are the recording's; ask questions on another.
 *
 * The socket is closed with 1013 when a client reads too slowly, and with 1009 after a message over 8 MiB.
 */
import * as Schema from "effect/Schema"
import { ErrorCode, ERRORS } from "../contract/Errors.ts"
import { RejectReason, Samples } from "../contract/Events.ts"
import { RecordingStart } from "../contract/RecordingCommands.ts"
import { Channels, Rate } from "../contract/RecordingEvents.ts"
import { SessionId } from "../contract/Session.ts"
import type { StreamName } from "../contract/Subjects.ts"
import { CALL_MESSAGES, TOPICS } from "./calls/Messages.ts"

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

const sound = {
  /** Hertz. */
  sampleRate: Schema.Int.check(Schema.isBetween({ minimum: 8_000, maximum: 192_000 })),
  channels: Schema.optionalKey(Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 2 }))),
  session
} as const

export const ClientMessage = Schema.Union([
  message("hello", { session }),
  message("subscribe", {
    subjects: Schema.optionalKey(Schema.Array(SubjectFilter).check(Schema.isMaxLength(64))),
    /** How calls go, as messages; of `session` alone when it is given. */
    topics: Schema.optionalKey(Schema.Array(Schema.Literals(TOPICS)).check(Schema.isMaxLength(TOPICS.length))),
    session,
    /** First sequence wanted of one stream; the others begin with what is new. */
    from: Schema.optionalKey(
      Schema.Struct({ stream: Schema.Literals(EVENT_STREAMS), sequence: Schema.Int.check(Schema.isGreaterThanOrEqualTo(1)) })
    )
  }),
  message("utterance.start", sound),
  message("utterance.end", {}),
  message("utterance.cancel", {}),
  /** `echoCancellation`: the microphone does not hear what the client plays, so that an answer can be interrupted. */
  message("listen", { ...sound, echoCancellation: Schema.optionalKey(Schema.Boolean) }),
  message("listen.end", {}),
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
  message("stop", {}),
  message("record.start", {
    sampleRate: Rate,
    channels: Schema.optionalKey(Channels),
    /** Of the source, for people. */
    name: Schema.optionalKey(Schema.String.check(Schema.isMinLength(1), Schema.isMaxLength(100))),
    title: RecordingStart.request.fields.title,
    ticket: RecordingStart.request.fields.ticket,
    idempotencyKey: RecordingStart.request.fields.idempotencyKey
  }),
  message("record.join", { session: SessionId, missed: Schema.optionalKey(Schema.Boolean) }),
  message("record.do", { action: Schema.Literals(["pause", "resume", "stop", "cancel", "discard", "undo"]), session }),
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
  message("voice.started", {}),
  message("voice.ended", ofTurn),
  message("voice.dropped", {}),
  message("interrupted", ofReply),
  message("partial", { ...ofTurn, text: Schema.String }),
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
    /** Who published it, and the `stream:sequence` of what it follows from. */
    actor: Schema.String,
    cause: Schema.String,
    event: Schema.Unknown
  }),
  message("record.ack", {
    session: SessionId,
    /** `recording`: audio is taken. `waiting`: not for the moment. */
    state: Schema.Literals(["recording", "paused", "waiting", "discarded", "ended"]),
    samples: Count,
    next: Count
  }),
  message("record.level", { session: SessionId, peak: Schema.Array(Schema.Finite), rms: Schema.Array(Schema.Finite) }),
  message("error", {
    code: ErrorCode,
    message: Schema.String,
    fix: Schema.String,
    recoverable: Schema.Boolean,
    turn: Schema.optionalKey(Turn),
    /** Of a call, with the place in `CALLS` it comes from. */
    session,
    sequence: Schema.optionalKey(Count)
  }),
  ...CALL_MESSAGES,
  message("pong", {})
])
export type ServerMessage = typeof ServerMessage.Type

/** An `error` message; the fix comes from the table of error codes. */
export const problem = (code: ErrorCode, text: string, turn?: number): Extract<ServerMessage, { readonly type: "error" }> => ({
  type: "error",
  code,
  message: text,
  fix: ERRORS[code].fix,
  recoverable: ERRORS[code].recoverable,
  ...(turn === undefined ? {} : { turn })
})
