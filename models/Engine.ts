/**
 * The speech engine of this machine. CTranslate2 in a private Python folder is the fastest by far; where there is no
 * usable Python, whisper.cpp is compiled for the processor and the model converted for it.
 *
 * `session.transcriber.engine` in the settings chooses; `auto` tries the first and falls back to the second.
 */
import * as Effect from "effect/Effect"
import { Terminal } from "../kernel/Failure.ts"
import { Settings } from "../kernel/Settings.ts"
import { findEntry } from "./Catalog.ts"
import { findInstalled } from "./Installed.ts"
import { buildWhisper, isWhisperBuilt } from "./NativeWhisper.ts"
import { fetchModel, type Progress } from "./Resolver.ts"

export const PYTHON_ENGINE = "python-ctranslate2"

export interface EnginePlan {
  readonly engine: "ctranslate2" | "whisper.cpp"
  /** Why not the faster one; empty when it is. */
  readonly note: string
}

type OnProgress = (progress: Progress) => void

/** whisper.cpp and the model in its format. */
export const ensureWhisperCpp = Effect.fnUntraced(function* (model: string, onProgress: OnProgress) {
  yield* buildWhisper((step, received, total) => onProgress({ model: "whisper.cpp", step, received, total }))
  yield* fetchModel(`${model}-ggml`, { onProgress })
})

/** Sets up what the settings ask for. */
export const ensureEngine = Effect.fnUntraced(function* (onProgress: OnProgress) {
  const { cache, session } = yield* Settings
  const { engine, model } = session.transcriber
  const python = (note: string): EnginePlan => ({ engine: "ctranslate2", note })
  const native = (note: string): EnginePlan => ({ engine: "whisper.cpp", note })
  if (engine === "ctranslate2") {
    yield* fetchModel(PYTHON_ENGINE, { onProgress })
    return python("")
  }
  if (engine === "whisper.cpp") {
    yield* ensureWhisperCpp(model, onProgress)
    return native("chosen in the settings")
  }
  if ((yield* findInstalled(cache, PYTHON_ENGINE, findEntry(PYTHON_ENGINE))) !== undefined) return python("")
  // Built here before, when there was no Python: not asked again at every start. `voxbus doctor` tells of the faster one.
  if (isWhisperBuilt() && (yield* findInstalled(cache, `${model}-ggml`)) !== undefined) return native("set up earlier")
  const first = yield* Effect.result(fetchModel(PYTHON_ENGINE, { onProgress }))
  if (first._tag === "Success") return python("")
  if (first.failure.code === "disk.full" || first.failure.code === "network.offline") return yield* first.failure
  const second = yield* Effect.result(ensureWhisperCpp(model, onProgress))
  if (second._tag === "Success") return native(first.failure.message)
  return yield* new Terminal({
    code: second.failure.code,
    message: `No speech engine can be set up.\n  - CTranslate2: ${first.failure.message}\n  - whisper.cpp: ${second.failure.message}`
  })
})
