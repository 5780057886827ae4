/**
 * The registry of engines: one line each. `auto` is the configured endpoint if there is one, else the embedded model.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type { ReasonerOptions } from "../../contract/Session.ts"
import type { Cores } from "../../kernel/Cores.ts"
import type { Models } from "../../kernel/Models.ts"
import { Settings } from "../../kernel/Settings.ts"
import type { Engine } from "./Engine.ts"
import { llama } from "./engines/llama.ts"
import { openaiCompatible } from "./engines/openaiCompatible.ts"

export class Engines extends Context.Service<Engines, { readonly pick: (engine: ReasonerOptions["engine"]) => Engine }>()(
  "voxbus/reasoner/Engines"
) {
  static readonly layer: Layer.Layer<Engines, never, Settings | Models | Cores> = Layer.effect(
    Engines,
    Effect.gen(function* () {
      const { provider, session, chatApiKey } = yield* Settings
      const embedded = yield* llama({ systemPrompt: session.reasoner.systemPrompt })
      const endpoint = openaiCompatible({ url: provider.chatUrl, model: provider.chatModel, key: chatApiKey })
      const automatic = provider.chatUrl === "" ? embedded : endpoint
      const engines = { auto: automatic, "openai-compatible": endpoint, "llama-local": embedded }
      return Engines.of({ pick: (engine) => engines[engine] })
    })
  )
}
