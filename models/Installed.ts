/**
 * What the cache holds: is a model there, is it still usable, and the last step of every installation.
 *
 * A model is put together in `models/.partial/<name>/`, which survives a kill and is continued, and appears under its
 * name by one rename of the whole folder. `model.json` is in it by then, so what has a name is whole.
 */
import * as Effect from "effect/Effect"
import { existsSync } from "node:fs"
import { mkdir, readdir, rename, rm, writeFile } from "node:fs/promises"
import { dirname, join } from "node:path"
import { type InstalledModel, locateModel, modelFolder, type ModelManifest } from "../kernel/Models.ts"
import { type CatalogEntry, filesFor, type SourceOf } from "./Catalog.ts"

/** Where a model is put together. */
export const partialFolder = (cache: string, name: string): string => join(cache, "models", ".partial", name)

/** Lock file of a model; see `Lock.ts`. */
export const lockFile = (cache: string, name: string): string => join(cache, "locks", `${name}.lock`)

/** The variable that names a tool of the user's wins over what was found before. */
const overruled = (entry: CatalogEntry | undefined, model: InstalledModel): boolean => {
  const path = filesOf(entry).find((source) => source.kind === "path")
  const chosen = path === undefined ? undefined : process.env[path.env]
  return chosen !== undefined && chosen !== "" && chosen !== model.files[entry?.main ?? ""]
}

const filesOf = (entry: CatalogEntry | undefined): ReadonlyArray<SourceOf<"path"> | { readonly kind: "other" }> =>
  entry === undefined
    ? []
    : filesFor(entry).flatMap((file) => file.sources.map((source) => (source.kind === "path" ? source : { kind: "other" as const })))

/** The installed model, if all its files are there (a Python or a nats-server of the user's may have gone). */
export const findInstalled = (cache: string, name: string, entry?: CatalogEntry): Effect.Effect<InstalledModel | undefined> =>
  locateModel(cache, name).pipe(
    Effect.map((model) =>
      Object.keys(model.files).every((role) => existsSync(model.path(role))) && !overruled(entry, model) ? model : undefined
    ),
    Effect.orElseSucceed(() => undefined)
  )

/** Names of all folders with a `model.json`. */
export const installedNames = async (cache: string): Promise<ReadonlyArray<string>> => {
  const names = await readdir(join(cache, "models")).catch(() => [])
  return names.filter((name) => !name.startsWith(".") && existsSync(join(modelFolder(cache, name), "model.json"))).toSorted()
}

/** Writes `model.json` into the partial folder and gives the folder its name; an older one is replaced. */
export const install = async (cache: string, manifest: ModelManifest): Promise<void> => {
  const partial = partialFolder(cache, manifest.name)
  const target = modelFolder(cache, manifest.name)
  await writeFile(join(partial, "model.json"), `${JSON.stringify(manifest, null, 2)}\n`)
  await mkdir(dirname(target), { recursive: true })
  const old = join(dirname(partial), `${manifest.name}.old`)
  await rm(old, { recursive: true, force: true })
  if (existsSync(target)) await rename(target, old)
  await rename(partial, target)
  await rm(old, { recursive: true, force: true })
}
