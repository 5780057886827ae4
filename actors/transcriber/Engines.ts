/**
 * The registry of engines: one line each, and which one a session gets.
 *
 * `auto` is CTranslate2 where its Python is set up and has the model, else whisper.cpp: asked for each request, so that
 * what `voxbus models fetch` brings is used without a restart. An engine that is named is used or fails.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type { TranscriberOptions } from "../../contract/Session.ts"
import type { Cores } from "../../kernel/Cores.ts"
import type { Terminal } from "../../kernel/Failure.ts"
import { Models } from "../../kernel/Models.ts"
import type { Engine } from "./Engine.ts"
import { make as makeCtranslate2 } from "./engines/ctranslate2.ts"
import { make as makeWhisperCpp, modelName } from "./engines/whispercpp.ts"

export class Engines extends Context.Service<
  Engines,
  { readonly pick: (options: Pick<TranscriberOptions, "engine" | "model">) => Effect.Effect<Engine, Terminal> }
>()("voxbus/transcriber/Engines") {
  static readonly layer: Layer.Layer<Engines, never, Models | Cores> = Layer.effect(
    Engines,
    Effect.gen(function* () {
      const models = yield* Models
      const ctranslate2 = yield* makeCtranslate2
      const whisperCpp = yield* makeWhisperCpp
      const first = (model: string) => Effect.as(Effect.andThen(models.locate("python-ctranslate2"), models.locate(model)), ctranslate2)
      const second = (model: string) => Effect.as(models.locate(modelName(model)), whisperCpp)
      return Engines.of({
        pick: ({ engine, model }) => {
          if (engine === "ctranslate2") return first(model)
          if (engine === "whisper.cpp") return second(model)
          return first(model).pipe(Effect.catch((missing) => Effect.mapError(second(model), () => missing)))
        }
      })
    })
  )
}
