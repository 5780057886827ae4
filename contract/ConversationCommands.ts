/**
 * The assistant, for programs: what the page does over its socket, as commands. Without a session they are about the
 * newest conversation. Answers of the model are events; a command waits for them only where its request says so.
 */
import * as Schema from "effect/Schema"
import { command } from "./Command.ts"
import { ErrorCode } from "./Errors.ts"
import { RejectReason } from "./Events.ts"
import { SessionConfig, SessionId } from "./Session.ts"

const Turn = Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 999_999 }))
const Count = Schema.Int.check(Schema.isGreaterThanOrEqualTo(0))
const session = Schema.optionalKey(SessionId)
const which = Schema.Struct({ session })
/** A request takes 10 s at most; who wants to wait longer follows the events. */
const WaitSeconds = Schema.Finite.check(Schema.isBetween({ minimum: 0, maximum: 9 }))
/** A file of any format that FFmpeg reads, base64; 600 KB of it: 20 s as WAV of 16 kHz, minutes as Opus. */
const Audio = Schema.String.check(Schema.isMaxLength(800_000), Schema.isPattern(/^[A-Za-z0-9+/]+={0,2}$/))
/** A new conversation begins with this; absent: as the settings say. */
const config = Schema.optionalKey(SessionConfig)

const Problem = Schema.Struct({ stage: Schema.Literals(["question", "answer", "speech"]), code: ErrorCode, message: Schema.String })

/** A turn as far as it is when the command answers. */
export const TurnReply = Schema.Struct({
  session: SessionId,
  turn: Turn,
  /** The question in words; absent until it is transcribed. */
  question: Schema.optionalKey(Schema.String),
  /** Why there were no words in the audio. */
  rejected: Schema.optionalKey(RejectReason),
  /** Sentences of the answer that are written. */
  reply: Schema.Array(Schema.String),
  /** Of those, how many can be fetched as audio with `conversation.speech`. */
  spoken: Count,
  /** Nothing more will come. */
  done: Schema.Boolean,
  problem: Schema.optionalKey(Problem)
})
export type TurnReply = typeof TurnReply.Type

export const ConversationState = command("conversation.state", {
  request: which,
  reply: Schema.Struct({
    session,
    state: Schema.Literals(["IDLE", "LISTENING", "TRANSCRIBING", "THINKING", "SPEAKING", "ERROR"]),
    /** The newest turn; 0 before the first. */
    turn: Count,
    problem: Schema.optionalKey(Schema.Struct({ actor: Schema.String, code: ErrorCode, message: Schema.String }))
  }),
  changes: false,
  means: "What the assistant is doing."
})

export const SendMessage = command("conversation.send", {
  request: Schema.Struct({
    text: Schema.Trim.check(Schema.isMinLength(1), Schema.isMaxLength(20_000)),
    session,
    /** Begin a new conversation. */
    fresh: Schema.optionalKey(Schema.Boolean),
    config,
    /** Wait so long for the whole answer; 0, the default: answer at once. */
    waitSeconds: Schema.optionalKey(WaitSeconds)
  }),
  reply: TurnReply,
  changes: true,
  expensive: true,
  means: "A typed question."
})

export const AskAudio = command("conversation.ask", {
  request: Schema.Struct({
    audio: Audio,
    session,
    fresh: Schema.optionalKey(Schema.Boolean),
    config,
    waitSeconds: Schema.optionalKey(WaitSeconds)
  }),
  reply: TurnReply,
  changes: true,
  expensive: true,
  means: "A spoken question: transcribed, answered, spoken."
})

export const TranscribeAudio = command("conversation.transcribe", {
  request: Schema.Struct({ audio: Audio, config, waitSeconds: Schema.optionalKey(WaitSeconds) }),
  reply: TurnReply,
  changes: true,
  expensive: true,
  means: "Only the words of a piece of audio, in a session of its own; nothing is answered."
})

export const SpeakText = command("conversation.speak", {
  request: Schema.Struct({
    text: Schema.Trim.check(Schema.isMinLength(1), Schema.isMaxLength(5_000)),
    config,
    waitSeconds: Schema.optionalKey(WaitSeconds)
  }),
  reply: TurnReply,
  changes: true,
  expensive: true,
  means: "Speaks a text, in a session of its own; its sentences are fetched with `conversation.speech`."
})

export const SentenceAudio = command("conversation.speech", {
  request: Schema.Struct({ session: SessionId, turn: Turn, sentence: Turn }),
  reply: Schema.Struct({
    text: Schema.String,
    engine: Schema.String,
    voice: Schema.String,
    seconds: Schema.Finite,
    /** Ogg/Opus, base64; absent where the browser is the voice. */
    audio: Schema.optionalKey(Schema.String)
  }),
  changes: false,
  means: "One spoken sentence of an answer."
})

export const StopTurn = command("conversation.stop", {
  request: Schema.Struct({ session, turn: Schema.optionalKey(Turn) }),
  reply: Schema.Struct({
    session: SessionId,
    turn: Turn,
    /** False: the turn was over already. */
    stopped: Schema.Boolean
  }),
  changes: true,
  means: "Drops the rest of an answer everywhere: it is neither written, spoken nor played on."
})

export const PlayedTurn = command("conversation.played", {
  request: Schema.Struct({
    session: SessionId,
    turn: Turn,
    /** Sentences played (or read) to their end, and samples of all the turn's audio. The model is told this much of its answer. */
    sentences: Count,
    samples: Count,
    interrupted: Schema.Boolean
  }),
  reply: Schema.Struct({ session: SessionId, turn: Turn }),
  changes: true,
  means: "A program that plays answers says how much was heard."
})

export const ClearConversation = command("conversation.clear", {
  request: which,
  reply: Schema.Struct({
    session: SessionId,
    /** The newest turn that the model no longer knows; 0: there was none. */
    through: Count
  }),
  changes: true,
  means: "The model forgets what was said so far. The events stay; `sessions.delete` erases them."
})

export const GetConversation = command("conversation.messages", {
  request: which,
  reply: Schema.Struct({
    session,
    messages: Schema.Array(
      Schema.Struct({
        role: Schema.Literals(["user", "assistant"]),
        /** Of an answer what the user heard of it. */
        content: Schema.String,
        turn: Turn,
        /** ISO 8601. */
        at: Schema.String,
        /** Whether the next question is asked with it. */
        known: Schema.Boolean
      })
    )
  }),
  changes: false,
  means: "What was said, as far as the log has it; the last exchanges are what the model knows.",
  http: { method: "GET", path: "/conversation/messages" }
})
