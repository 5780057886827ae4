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
  /** `auto` takes the best engine that works on the machine. */
  engine: withDefault(Schema.Literals(["auto", "ctranslate2", "whisper.cpp"]), "auto"),
  /** Name in the catalogue, or the name given to `voxbus models import`. */
  model: withDefault(Schema.NonEmptyString, "whisper-base"),
  /** ISO 639-1 code, or `auto` to detect it. */
  language: withDefault(Schema.String.check(Schema.isPattern(/^(auto|[a-z]{2,3})$/)), "auto"),
  task: withDefault(Schema.Literals(["transcribe", "translate"]), "transcribe"),
  beamSize: withDefault(Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 10 })), 5),
  /** Words and names to expect, given to the decoder as a prompt. */
  prompt: withDefault(Schema.String.check(Schema.isMaxLength(2000)), ""),
  hotwords: withDefault(Schema.String.check(Schema.isMaxLength(2000)), "")
})
export type TranscriberOptions = typeof TranscriberOptions.Type

export const ReasonerOptions = Schema.Struct({
  /** `auto`: the configured endpoint if there is one, else the embedded model. */
  engine: withDefault(Schema.Literals(["auto", "openai-compatible", "llama-local"]), "auto"),
  model: withDefault(Schema.String, ""),
  systemPrompt: withDefault(
    Schema.String,
    "You are a helpful voice assistant. Answer in one or two short spoken sentences. Do not use lists, markdown, emoji or abbreviations."
  ),
  /** Exchanges (user + assistant) of the conversation that are sent along. */
  historyExchanges: withDefault(Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 100 })), 10),
  maxTokens: withDefault(Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 4096 })), 200),
  temperature: withDefault(Schema.Finite.check(Schema.isBetween({ minimum: 0, maximum: 2 })), 0)
})
export type ReasonerOptions = typeof ReasonerOptions.Type

export const SpeakerOptions = Schema.Struct({
  engine: withDefault(Schema.Literals(["auto", "piper-local"]), "auto"),
  voice: withDefault(Schema.NonEmptyString, "piper-en-us-joe"),
  /** 1 is the voice's own pace. */
  speed: withDefault(Schema.Finite.check(Schema.isBetween({ minimum: 0.25, maximum: 4 })), 1)
})
export type SpeakerOptions = typeof SpeakerOptions.Type

export const SessionConfig = Schema.Struct({
  transcriber: withDefault(TranscriberOptions, {}),
  reasoner: withDefault(ReasonerOptions, {}),
  speaker: withDefault(SpeakerOptions, {}),
  /** Folder under which `<timestamp>_<ticket or session>/` is written; absolute. Empty: the default of the host. */
  outputFolder: withDefault(Schema.String, "")
})
export type SessionConfig = typeof SessionConfig.Type

/** The configuration of a session that sets nothing. */
export const defaultSessionConfig: SessionConfig = Schema.decodeUnknownSync(SessionConfig)({})
