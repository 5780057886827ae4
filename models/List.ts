/** What there is: every model of the catalogue and every imported one, with its state. */
import * as Effect from "effect/Effect"
import { rm } from "node:fs/promises"
import { modelFolder } from "../kernel/Models.ts"
import { Terminal } from "../kernel/Failure.ts"
import { Settings } from "../kernel/Settings.ts"
import { catalog, findEntry, sizeOf } from "./Catalog.ts"
import { bytesOf } from "./Hash.ts"
import { findInstalled, installedNames, partialFolder } from "./Installed.ts"

export interface ListedModel {
  readonly name: string
  readonly kind: string
  readonly licence: string
  readonly description: string
  readonly installed: boolean
  /** On the disk when installed, else what it will take. */
  readonly bytes: number
  /** Where it came from; empty when it is not installed. */
  readonly origin: string
  readonly sha256: string
}

/** The catalogue in its order, then imported models by name. */
export const listModels = Effect.fnUntraced(function* () {
  const { cache } = yield* Settings
  const own = (yield* Effect.promise(() => installedNames(cache))).filter((name) => findEntry(name) === undefined)
  const listed: Array<ListedModel> = []
  for (const name of [...catalog.models.map((entry) => entry.name), ...own]) {
    const entry = findEntry(name)
    const model = yield* findInstalled(cache, name, entry)
    listed.push({
      name,
      kind: entry?.kind ?? model?.kind ?? "unknown",
      licence: entry?.licence ?? "your own",
      description: entry?.description ?? "imported",
      installed: model !== undefined,
      bytes: model === undefined ? (entry === undefined ? 0 : sizeOf(entry)) : yield* Effect.promise(() => bytesOf(model.folder)),
      origin: model?.origin ?? "",
      sha256: model?.sha256 ?? entry?.files.find((file) => file.role === entry.main)?.sha256 ?? ""
    })
  }
  return listed
})

/** Deletes a model from the cache, with what was fetched of it so far. Gives the bytes that became free. */
export const removeModel = Effect.fnUntraced(function* (name: string) {
  const { cache } = yield* Settings
  if (name.includes("/") || name.includes("\\") || name.startsWith("."))
    return yield* new Terminal({ code: "input.invalid", message: `${name} is not the name of a model.` })
  const folders = [modelFolder(cache, name), partialFolder(cache, name)]
  const bytes = (yield* Effect.promise(() => Promise.all(folders.map(bytesOf)))).reduce((sum, next) => sum + next, 0)
  if (bytes === 0) return yield* new Terminal({ code: "model.missing", message: `${name} is not on this machine.` })
  for (const folder of folders) yield* Effect.promise(() => rm(folder, { recursive: true, force: true }))
  return bytes
})
