/**
 * `voxbus models import FOLDER`: takes a Whisper model in the format of faster-whisper (CTranslate2) as it is, a folder
 * of the Hugging Face cache included. Files are hard-linked where that works, else copied. For the whisper.cpp engine
 * it is converted when it is first needed, under the name `<name>-ggml`.
 */
import * as Effect from "effect/Effect"
import { existsSync } from "node:fs"
import { copyFile, link, mkdir, realpath, rm, stat } from "node:fs/promises"
import { basename, join, resolve } from "node:path"
import { type InstalledModel, locateModel } from "../kernel/Models.ts"
import { describe, type Failure, systemCode, Terminal } from "../kernel/Failure.ts"
import { Settings } from "../kernel/Settings.ts"
import { findEntry } from "./Catalog.ts"
import { openCt2 } from "./Ct2.ts"
import { ensureRoom } from "./Disk.ts"
import { bytesOf, sha256 } from "./Hash.ts"
import { findInstalled, install, lockFile, partialFolder } from "./Installed.ts"
import { withLock } from "./Lock.ts"
import { VOCABULARY_FILES } from "./Vocabulary.ts"

export interface ImportOptions {
  /** Name to give it; by default that of the folder. */
  readonly name?: string
}

const NAME = /^[a-z0-9][a-z0-9._-]*$/

/** Role to file name, all of a CTranslate2 folder that is used; the first four must be there. */
const ROLES: Readonly<Record<string, ReadonlyArray<string>>> = {
  model: ["model.bin"],
  config: ["config.json"],
  tokenizer: ["tokenizer.json"],
  vocabulary: VOCABULARY_FILES,
  preprocessor: ["preprocessor_config.json"]
}

/** Name for a folder: its own, or the model's in `.../models--Systran--faster-whisper-small/snapshots/<hash>`. */
export const nameOf = (folder: string): string => {
  const cached = /models--[^/\\]+--([^/\\]+)[/\\]snapshots/.exec(folder)?.[1]
  return (cached ?? basename(folder)).toLowerCase().replaceAll(/[^a-z0-9._-]+/g, "-")
}

const unsupported = (folder: string, why: string, cause?: unknown): Terminal =>
  new Terminal({
    code: "model.unsupported",
    message: `${folder}: ${why}. What can be imported is a folder of faster-whisper (CTranslate2) with model.bin, config.json, tokenizer.json and vocabulary.txt or .json.`,
    cause
  })

/** The files of the folder by role, after looking into `model.bin`. */
const inspect = Effect.fnUntraced(function* (folder: string) {
  if (!existsSync(folder)) return yield* new Terminal({ code: "input.missing", message: `${folder} does not exist.` })
  const files: Record<string, string> = {}
  for (const [role, names] of Object.entries(ROLES)) {
    const found = names.find((name) => existsSync(join(folder, name)))
    if (found !== undefined) files[role] = found
    else if (role !== "preprocessor") return yield* unsupported(folder, `${names.join(" or ")} is missing`)
  }
  yield* Effect.tryPromise({
    try: async () => {
      const model = await openCt2(join(folder, "model.bin"))
      await model.close()
      if (!model.spec.startsWith("Whisper")) throw new Error(`it is a ${model.spec} model, not Whisper`)
    },
    catch: (cause) => unsupported(folder, describe(cause), cause)
  })
  return files
})

const place = async (from: string, to: string): Promise<void> => {
  const real = await realpath(from)
  await link(real, to).catch(() => copyFile(real, to))
}

const unwritable = (cache: string) => (cause: unknown) =>
  new Terminal({
    code: systemCode(cause) === "ENOSPC" ? "disk.full" : "input.invalid",
    message: `The model could not be copied to ${cache}: ${describe(cause)}.`,
    cause
  })

/** Installs the model in `folder`. */
export const importModel: (folder: string, options?: ImportOptions) => Effect.Effect<InstalledModel, Failure, Settings> = Effect.fnUntraced(
  function* (from: string, options: ImportOptions = {}) {
    const { cache } = yield* Settings
    const folder = resolve(from)
    const name = options.name ?? nameOf(folder)
    if (!NAME.test(name))
      return yield* new Terminal({
        code: "input.invalid",
        message: `${name} is not a name for a model: use small letters, digits, and . _ -`
      })
    if (findEntry(name) !== undefined)
      return yield* new Terminal({
        code: "input.invalid",
        message: `${name} is a model of the catalogue. Give yours another name with --name.`
      })
    const files = yield* inspect(folder)
    const bytes = yield* Effect.promise(() => bytesOf(join(folder, "model.bin")))
    yield* ensureRoom(join(cache, "models"), bytes, name)
    const partial = partialFolder(cache, name)
    const copy = Effect.tryPromise({
      try: async () => {
        await rm(partial, { recursive: true, force: true })
        await mkdir(partial, { recursive: true })
        for (const file of Object.values(files)) await place(join(folder, file), join(partial, file))
        const sum = await sha256(join(partial, "model.bin"))
        const { size } = await stat(join(partial, "model.bin"))
        await install(cache, { name, kind: "whisper-ct2", files, sha256: sum, bytes: size, origin: "import" })
        // A conversion of what had this name before is out of date.
        await rm(join(cache, "models", `${name}-ggml`), { recursive: true, force: true })
      },
      catch: unwritable(cache)
    })
    yield* withLock(lockFile(cache, name), () => undefined, copy)
    return (yield* findInstalled(cache, name)) ?? (yield* locateModel(cache, name))
  }
)
