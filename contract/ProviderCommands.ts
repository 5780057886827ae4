/** Providers: which are configured and answer, what runs on this machine, and the voices to choose from. */
import * as Schema from "effect/Schema"
import { command } from "./Command.ts"

const Port = Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 65_535 }))

export const ProviderState = Schema.Struct({
  name: Schema.Literals(["chat", "openwebui", "openai", "elevenlabs"]),
  url: Schema.String,
  /** `off`: offline mode does not let it be asked. */
  status: Schema.Literals(["ready", "degraded", "down", "off"]),
  /** For a person. */
  detail: Schema.String
})

export const CheckProviders = command("providers.check", {
  request: Schema.Struct({}),
  reply: Schema.Struct({ providers: Schema.Array(ProviderState) }),
  changes: false,
  means: "Asks every provider that is configured whether it answers and accepts the key."
})

export const DiscoverProviders = command("providers.discover", {
  request: Schema.Struct({
    /** Ports to look at besides the usual ones. */
    ports: Schema.optionalKey(Schema.Array(Port).check(Schema.isMaxLength(16)))
  }),
  reply: Schema.Struct({
    found: Schema.Array(
      Schema.Struct({
        kind: Schema.Literals(["ollama", "llama-server", "vllm", "lm-studio", "openwebui", "openai-compatible"]),
        /** What `provider.chat.url` (or `provider.openwebui.url`) would be. */
        url: Schema.String,
        models: Schema.Array(Schema.String),
        /** Settings that would use it; nothing uses it before they are set. */
        use: Schema.Array(Schema.Struct({ path: Schema.String, value: Schema.String }))
      })
    )
  }),
  changes: false,
  means: "Looks for language model servers on the usual ports of this machine. Offers them, uses none."
})

export const ListVoices = command("providers.voices", {
  request: Schema.Struct({}),
  reply: Schema.Struct({
    voices: Schema.Array(
      Schema.Struct({ engine: Schema.Literals(["piper-local", "openai-speech", "elevenlabs"]), id: Schema.String, name: Schema.String })
    ),
    /** Providers that could not be asked, and why. */
    problems: Schema.Array(Schema.String)
  }),
  changes: false,
  means: "The voices of this machine and of the providers whose keys are set."
})
