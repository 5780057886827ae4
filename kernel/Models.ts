/**
 * Where an engine finds its model. Reads the cache that `models/` fills; never downloads.
 *
 * Layout: `$VOXBUS_CACHE/models/<name>/model.json` (written last, so its presence means the model is whole) beside the
 * files it names.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import { readFile } from "node:fs/promises"
import { join, resolve } from "node:path"
import { Settings } from "./Settings.ts"
import { Terminal } from "./Failure.ts"

export const ModelKind = Schema.Literals(["whisper-ct2", "whisper-ggml", "voice", "vad", "llm", "tool", "python"])

/** The content of `model.json`. */
export const ModelManifest = Schema.Struct({
  name: Schema.String,
  kind: ModelKind,
  /** Role of a file to its path: relative to the folder, or absolute (a tool found on PATH). */
  files: Schema.Record(Schema.String, Schema.String),
  /** Of the weights or the binary. */
  sha256: Schema.String,
  bytes: Schema.Int,
  /** Where it came from: the source's address, `import`, `path` or `converted`. */
  origin: Schema.String
})
export type ModelManifest = typeof ModelManifest.Type

export interface InstalledModel extends ModelManifest {
  readonly folder: string
  /** Absolute path of the file with this role. */
  readonly path: (role: string) => string
}

/** Folder of a model in the cache. */
export const modelFolder = (cache: string, name: string): string => join(cache, "models", name)

export class Models extends Context.Service<
  Models,
  {
    /** Fails with `model.missing`, which names the command that fetches it. */
    readonly locate: (name: string) => Effect.Effect<InstalledModel, Terminal>
  }
>()("voxbus/Models") {
  static readonly layer = Layer.effect(
    Models,
    Effect.gen(function* () {
      const { cache } = yield* Settings
      return Models.of({ locate: (name) => locateModel(cache, name) })
    })
  )
}

const decodeManifest = Schema.decodeUnknownEffect(Schema.fromJsonString(ModelManifest))

/** `locate` for a given cache folder; what `Models` does. */
export const locateModel = (cache: string, name: string): Effect.Effect<InstalledModel, Terminal> => {
  const folder = modelFolder(cache, name)
  return Effect.tryPromise({ try: () => readFile(join(folder, "model.json"), "utf8"), catch: (cause) => cause }).pipe(
    Effect.flatMap(decodeManifest),
    Effect.map((manifest) => ({
      ...manifest,
      folder,
      path: (role: string) => resolve(folder, manifest.files[role] ?? role)
    })),
    Effect.mapError(
      (cause) =>
        new Terminal({ code: "model.missing", message: `${name} is not on this machine. Run: npx voxbus models fetch ${name}`, cause })
    )
  )
}
