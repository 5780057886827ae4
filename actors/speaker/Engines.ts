/**
 * The registry of engines: one line each.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type { SpeakerOptions } from "../../contract/Session.ts"
import type { Cores } from "../../kernel/Cores.ts"
import type { Failure } from "../../kernel/Failure.ts"
import type { Models } from "../../kernel/Models.ts"
import type { Engine, Speech } from "./Engine.ts"
import { piper } from "./engines/piper.ts"

export class Engines extends Context.Service<Engines, { readonly pick: (engine: SpeakerOptions["engine"]) => Engine }>()(
  "voxbus/speaker/Engines"
) {
  static readonly layer: Layer.Layer<Engines, never, Models | Cores> = Layer.effect(
    Engines,
    Effect.gen(function* () {
      const local = yield* piper
      const engines = { auto: local, "piper-local": local }
      return Engines.of({ pick: (engine) => engines[engine] })
    })
  )
}

/**
 * Speech outside a turn, such as the demo's own questions.
 *
 * @param speed 1 is the voice's own pace
 */
export const synthesize = (text: string, voice = "piper-en-us-joe", speed = 1): Effect.Effect<Speech, Failure, Engines> =>
  Effect.flatMap(Engines, (engines) => engines.pick("auto").synthesize({ text, voice, speed }))
