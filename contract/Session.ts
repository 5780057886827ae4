/**
 * What a session is: its mode, its identity and the whole configuration it was opened with.
 *
 * The configuration is frozen into `session.opened`, so a retry a year later runs with the options of the first try.
 */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"

/** `call`: recorded or imported, kept, sealed. `assistant`: a conversation, in memory unless asked otherwise. */
export const Mode = Schema.Literals(["assistant", "call"])
export type Mode = typeof Mode.Type

/** ULID of a session, upper case. */
export const SessionId = Schema.String.check(Schema.isPattern(/^[0-9A-HJKMNP-TV-Z]{26}$/))
export type SessionId = typeof SessionId.Type

/** A ticket or case number: letters, digits, `-` and `_`. */
export const TicketId = Schema.String.check(Schema.isPattern(/^[A-Za-z0-9_-]{1,64}$/))

const withDefault = <S extends Schema.Top>(schema: S, value: S["Encoded"]) =>
  schema.pipe(Schema.withDecodingDefaultKey(Effect.succeed(value)))

export const TranscriberOptions = Schema.Struct({
  /** `auto`: the configured chain if there is one, else the best engine that works on the machine; never `testkit`, which hears hashes, for tests. */
  engine: withDefault(Schema.Literals(["auto", "ctranslate2", "whisper.cpp", "openai", "testkit"]), "auto"),
  /** Name in the catalogue, or the name given to `voxbus models import`. */
  model: withDefault(Schema.NonEmptyString, "whisper-base"),
  /** ISO 639-1 code, or `auto` to detect it. */
  language: withDefault(Schema.String.check(Schema.isPattern(/^(auto|[a-z]{2,3})$/)), "auto"),
  /** What `auto` means for a call: `session` keeps the language of the first chunk that is sure, `chunk` asks anew each time. */
  languageDetection: withDefault(Schema.Literals(["session", "chunk"]), "session"),
  task: withDefault(Schema.Literals(["transcribe", "translate"]), "transcribe"),
  /** Hypotheses that the decoder follows at once. */
  beamSize: withDefault(Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 10 })), 5),
  /**
   * Candidates of which the most probable is kept where a part is decoded again with random choices. Only whisper.cpp does
   * so; CTranslate2 tries again in other ways, and OpenAI's interface has no field for it.
   */
  bestOf: withDefault(Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 10 })), 5),
  /** Words and names to expect, given to the decoder as a prompt. */
  prompt: withDefault(Schema.String.check(Schema.isMaxLength(2000)), ""),
  hotwords: withDefault(Schema.String.check(Schema.isMaxLength(2000)), ""),
  /** A spoken turn that does not begin with these words is no question; empty: every one is. For a microphone that is always open. */
  wakeWord: withDefault(Schema.String.check(Schema.isMaxLength(60)), ""),
  /** For so long after an answer they are not needed. */
  wakeSeconds: withDefault(Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 600 })), 20)
})
export type TranscriberOptions = typeof TranscriberOptions.Type

export const ReasonerOptions = Schema.Struct({
  /** `auto`: the configured chain or endpoint if there is one, else the embedded model. */
  engine: withDefault(Schema.Literals(["auto", "openwebui", "openai-compatible", "llama-local", "testkit"]), "auto"),
  model: withDefault(Schema.String, ""),
  systemPrompt: withDefault(
    Schema.String,
    "You are a helpful voice assistant. Answer in one or two short spoken sentences. Do not use lists, markdown, emoji or abbreviations."
  ),
  /** Exchanges (user + assistant) of the conversation that are sent along. */
  historyExchanges: withDefault(Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 100 })), 10),
  /** After so many minutes without a question the next one begins a new subject; 0: never. */
  idleMinutes: withDefault(Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 10_080 })), 60),
  /**
   * What a model that can call functions may do. `calls` (search and read transcripts) hands what was said in calls to
   * the model, and `recording` starts and stops recordings: both only when they are named here. `mcp`: the tools of the
   * servers in `reasoner.mcp`.
   */
  tools: withDefault(Schema.Array(Schema.Literals(["time", "timer", "calls", "recording", "mcp"])), ["time", "timer", "mcp"]),
  maxTokens: withDefault(Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 4096 })), 200),
  temperature: withDefault(Schema.Finite.check(Schema.isBetween({ minimum: 0, maximum: 2 })), 0)
})
export type ReasonerOptions = typeof ReasonerOptions.Type

export const SpeakerOptions = Schema.Struct({
  /** `auto`: the configured chain, else the local voice. `browser`: no audio is made, the page speaks by itself. */
  engine: withDefault(Schema.Literals(["auto", "elevenlabs", "openai-speech", "piper-local", "browser", "testkit"]), "auto"),
  /** Name of a local voice in the catalogue; the voices of providers are in the host's settings. */
  voice: withDefault(Schema.NonEmptyString, "piper-en-us-joe"),
  /** Voices for answers in other languages: `{ "de": "..." }`. Without one for a language `voice` speaks it. */
  voices: withDefault(Schema.Record(Schema.String, Schema.NonEmptyString), {}),
  /** 1 is the voice's own pace. */
  speed: withDefault(Schema.Finite.check(Schema.isBetween({ minimum: 0.25, maximum: 4 })), 1)
})
export type SpeakerOptions = typeof SpeakerOptions.Type

export const SessionConfig = Schema.Struct({
  transcriber: withDefault(TranscriberOptions, {}),
  reasoner: withDefault(ReasonerOptions, {}),
  speaker: withDefault(SpeakerOptions, {}),
  /** How far a turn goes: `text` stops at the words, `reply` at the written answer, `speech` says it too. */
  until: withDefault(Schema.Literals(["text", "reply", "speech"]), "speech"),
  /** Words or phrases that raise `keyword.spotted` when they are said in a call. */
  keywords: withDefault(Schema.Array(Schema.NonEmptyString.check(Schema.isMaxLength(100))).check(Schema.isMaxLength(200)), []),
  /** What is done with the transcript of a finished call. Never changes the transcript. */
  afterCall: withDefault(
    Schema.Struct({
      /** Let the reasoner write a summary, action items and keywords. */
      summarize: withDefault(Schema.Boolean, false)
    }),
    {}
  ),
  /** Folder under which `<timestamp>_<ticket or session>/` is written; absolute. Empty: the default of the host. */
  outputFolder: withDefault(Schema.String, "")
})
export type SessionConfig = typeof SessionConfig.Type

/** The configuration of a session that sets nothing. */
export const defaultSessionConfig: SessionConfig = Schema.decodeUnknownSync(SessionConfig)({})
