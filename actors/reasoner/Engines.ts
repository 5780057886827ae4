/**
 * The registry of engines: one line each. `auto` is the configured chain, else the configured endpoint, else OpenWebUI if
 * its address is set, else the embedded model. Addresses and keys are looked up with each request: a change is used with
 * the next turn.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Stream from "effect/Stream"
import type { ReasonerOptions } from "../../contract/Session.ts"
import { type Link, makeChain } from "../../kernel/Chain.ts"
import type { Cores } from "../../kernel/Cores.ts"
import type { Failure } from "../../kernel/Failure.ts"
import { findKey } from "../../kernel/Keys.ts"
import type { Models } from "../../kernel/Models.ts"
import { Settings } from "../../kernel/Settings.ts"
import type { Engine } from "./Engine.ts"
import { llama } from "./engines/llama.ts"
import { openaiCompatible } from "./engines/openaiCompatible.ts"
import { makeOpenWebUi } from "./engines/openwebui.ts"
import { testkit } from "./engines/testkit.ts"
import { fallback } from "./Fallback.ts"

/** An engine made anew for each request. */
const lazily = (name: string, make: Effect.Effect<Engine, Failure>): Engine => ({
  name,
  prepare: Effect.flatMap(make, (engine) => engine.prepare),
  shape: (messages, request) => Effect.flatMap(make, (engine) => engine.shape(messages, request)),
  reply: (request) => Stream.unwrap(Effect.map(make, (engine) => engine.reply(request)))
})

export class Engines extends Context.Service<Engines, { readonly pick: (engine: ReasonerOptions["engine"]) => Engine }>()(
  "voxbus/reasoner/Engines"
) {
  static readonly layer: Layer.Layer<Engines, never, Settings | Models | Cores> = Layer.effect(
    Engines,
    Effect.gen(function* () {
      const settings = yield* Settings
      const chain = yield* makeChain("reasoner")
      const openWebUi = makeOpenWebUi()
      const embedded = yield* llama({ systemPrompt: settings.session.reasoner.systemPrompt })
      const chat = Effect.gen(function* () {
        const { url, model, timeoutSeconds } = (yield* Settings.current).provider.chat
        const key = (yield* findKey("chat"))?.key
        return openaiCompatible({
          endpoint: { label: "The chat endpoint", url, key, keyName: "chat" },
          model,
          totalMs: timeoutSeconds * 1000
        })
      })
      const webUi = Effect.gen(function* () {
        const { url, model, knowledge, timeoutSeconds } = (yield* Settings.current).provider.openwebui
        const key = (yield* findKey("openwebui"))?.key
        return openWebUi({
          endpoint: { label: "OpenWebUI", url, key, keyName: "openwebui" },
          model,
          knowledge,
          totalMs: timeoutSeconds * 1000
        })
      })
      const engines = {
        openwebui: lazily("openwebui", Effect.provideService(webUi, Settings, settings)),
        "openai-compatible": lazily("openai-compatible", Effect.provideService(chat, Settings, settings)),
        "llama-local": embedded,
        testkit
      }
      const link = (name: keyof typeof engines): Link<Engine> => ({ name, engine: engines[name] })
      const automatic = Effect.map(settings.reload, ({ provider }): ReadonlyArray<Link<Engine>> => {
        if (provider.reasoner.chain.length > 0) return provider.reasoner.chain.map(link)
        if (provider.chat.url !== "") return [link("openai-compatible")]
        return [link(provider.openwebui.url === "" ? "llama-local" : "openwebui")]
      })
      const auto = fallback(chain, automatic)
      return Engines.of({
        pick: (engine) => {
          if (engine === "auto") return auto
          return engine === "llama-local" || engine === "testkit" ? engines[engine] : fallback(chain, Effect.succeed([link(engine)]))
        }
      })
    })
  )
}
