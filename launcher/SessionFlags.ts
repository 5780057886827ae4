/** The flags of commands that open a session, and the session configuration they make. */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Flag from "effect/cli/Flag"
import * as Schema from "effect/Schema"
import { SessionConfig } from "../contract/Session.ts"
import { describe, Terminal } from "../kernel/Failure.ts"
import { Settings } from "../kernel/Settings.ts"

export const sessionFlags = {
  model: Flag.String("model").pipe(Flag.withDescription("Whisper model: whisper-base, whisper-tiny.en, or an imported one"), Flag.optional),
  engine: Flag.Literals("engine", ["auto", "ctranslate2", "whisper.cpp", "openai"]).pipe(
    Flag.withDescription("Speech recognition engine"),
    Flag.optional
  ),
  language: Flag.String("language").pipe(Flag.withAlias("l"), Flag.withDescription("Language code such as en, or auto"), Flag.optional),
  perChunk: Flag.Boolean("language-per-chunk").pipe(
    Flag.withDescription("Detect the language of each part anew, for calls in several languages"),
    Flag.withDefault(false)
  ),
  translate: Flag.Boolean("translate").pipe(Flag.withDescription("Write English, whatever is spoken"), Flag.withDefault(false)),
  beam: Flag.Int("beam").pipe(Flag.withDescription("Hypotheses of the decoder, 1 to 10 (5)"), Flag.optional),
  bestOf: Flag.Int("best-of").pipe(Flag.withDescription("Candidates where whisper.cpp decodes again, 1 to 10 (5)"), Flag.optional),
  prompt: Flag.String("prompt").pipe(Flag.withDescription("Text that sets style and spelling"), Flag.optional),
  hotwords: Flag.String("hotwords").pipe(Flag.withDescription("Names and words to expect"), Flag.optional)
} as const

export interface SessionFlags {
  readonly model: Option.Option<string>
  readonly engine: Option.Option<"auto" | "ctranslate2" | "whisper.cpp" | "openai">
  readonly language: Option.Option<string>
  readonly perChunk: boolean
  readonly translate: boolean
  readonly beam: Option.Option<number>
  readonly bestOf: Option.Option<number>
  readonly prompt: Option.Option<string>
  readonly hotwords: Option.Option<string>
}

const set = <K extends string, V>(key: K, value: Option.Option<V>) =>
  (Option.isSome(value) ? { [key]: value.value } : {}) as { [P in K]?: V }

const decode = Schema.decodeUnknownEffect(SessionConfig)

/** The settings' session configuration with the flags on top. Fails with `config.invalid`, naming the flag's field. */
export const sessionConfig = (flags: SessionFlags): Effect.Effect<SessionConfig, Terminal, Settings> =>
  Effect.flatMap(Settings, ({ session }) =>
    decode({
      ...session,
      transcriber: {
        ...session.transcriber,
        ...set("model", flags.model),
        ...set("engine", flags.engine),
        ...set("language", flags.language),
        ...set("beamSize", flags.beam),
        ...set("bestOf", flags.bestOf),
        ...set("prompt", flags.prompt),
        ...set("hotwords", flags.hotwords),
        ...(flags.perChunk ? { languageDetection: "chunk" } : {}),
        ...(flags.translate ? { task: "translate" } : {})
      }
    })
  ).pipe(Effect.catchTag("SchemaError", (cause) => Effect.fail(new Terminal({ code: "config.invalid", message: describe(cause), cause }))))
