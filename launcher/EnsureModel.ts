/**
 * The model that a command asks for, before it queues work for it: fetched (or converted) with progress when it is in
 * the catalogue, a clear failure when it is not. Otherwise every chunk would fail for the same reason.
 */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type { SessionConfig } from "../contract/Session.ts"
import { locateModel } from "../kernel/Models.ts"
import { Settings } from "../kernel/Settings.ts"
import { ensureWhisperCpp, fetchModel, PYTHON_ENGINE, terminalProgress } from "../models/index.ts"

export const ensureModel = Effect.fnUntraced(function* ({ transcriber: { engine, model } }: SessionConfig) {
  if (engine === "testkit") return
  const { cache } = yield* Settings
  const isThere = (name: string) => Effect.map(Effect.option(locateModel(cache, name)), Option.isSome)
  if (engine === "openai") return
  const native = engine === "whisper.cpp" || (engine === "auto" && !(yield* isThere(PYTHON_ENGINE)))
  if (!native && (yield* isThere(model))) return
  const { onProgress, stop } = terminalProgress()
  yield* (native ? ensureWhisperCpp(model, onProgress) : Effect.asVoid(fetchModel(model, { onProgress }))).pipe(
    Effect.ensuring(Effect.sync(stop))
  )
})
