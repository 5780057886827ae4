/** All that a command needs, in the order in which it helps most: the small tools first, then the engine and models. */
import * as Effect from "effect/Effect"
import { Settings } from "../kernel/Settings.ts"
import { catalog, type SetName } from "./Catalog.ts"
import { ensureEngine, ensureWhisperCpp } from "./Engine.ts"
import { fetchModel, type Progress } from "./Resolver.ts"

/** Fetches the set's models, those the settings name, and the speech engine. `test` sets up both engines. */
export const ensureModels = Effect.fnUntraced(function* (set: SetName, onProgress: (progress: Progress) => void) {
  const { session } = yield* Settings
  const names = new Set([...catalog.sets[set], session.transcriber.model, session.speaker.voice])
  for (const name of names) if (!name.endsWith("-ggml")) yield* fetchModel(name, { onProgress })
  const plan = yield* ensureEngine(onProgress)
  if (set === "test") {
    yield* ensureWhisperCpp("whisper-tiny.en", onProgress)
  }
  return plan
})
