/** The flags of commands that open a session, and the session configuration they make. */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Flag from "effect/cli/Flag"
import type { SessionConfig } from "../contract/Session.ts"
import { Settings } from "../kernel/Settings.ts"

export const sessionFlags = {
  model: Flag.String("model").pipe(Flag.withDescription("Whisper model: whisper-base, whisper-tiny.en, or an imported one"), Flag.optional),
  engine: Flag.Literals("engine", ["auto", "ctranslate2", "whisper.cpp"]).pipe(
    Flag.withDescription("Speech recognition engine"),
    Flag.optional
  ),
  language: Flag.String("language").pipe(Flag.withAlias("l"), Flag.withDescription("Language code such as en, or auto"), Flag.optional)
} as const

export interface SessionFlags {
  readonly model: Option.Option<string>
  readonly engine: Option.Option<"auto" | "ctranslate2" | "whisper.cpp">
  readonly language: Option.Option<string>
}

const set = <K extends string, V>(key: K, value: Option.Option<V>) =>
  (Option.isSome(value) ? { [key]: value.value } : {}) as { [P in K]?: V }

/** The settings' session configuration with the flags on top. */
export const sessionConfig = (flags: SessionFlags): Effect.Effect<SessionConfig, never, Settings> =>
  Effect.map(Settings, ({ session }) => ({
    ...session,
    transcriber: {
      ...session.transcriber,
      ...set("model", flags.model),
      ...set("engine", flags.engine),
      ...set("language", flags.language)
    }
  }))
