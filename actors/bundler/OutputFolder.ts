/**
 * The folder of a finished call, `<YYYYMMDD_HHMMSS>_<ticket or session>`: written aside under a hidden name, fsynced and
 * renamed, so nobody ever sees half of it. The name follows from `session.opened` alone, so a second run finds the first
 * one's folder; it is checked and kept. What belongs to another call or was changed is never touched: the session's
 * number is added to the name instead.
 */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import { mkdir, open, readdir, rename, rm, stat } from "node:fs/promises"
import { join } from "node:path"
import { BundleFile, type EventOf } from "../../contract/Events.ts"
import { type Retryable, systemCode } from "../../kernel/Failure.ts"
import { hashFile, onDisk, syncFolder, unwritable } from "./Files.ts"
import { ENTRY } from "./Seal.ts"
import { verifyBundle } from "./Verify.ts"
import { fileSource, readText } from "./ZipEntries.ts"

/** What `bundle.ready` says. */
export type Output = Pick<EventOf<"bundle.ready">, "folder" | "bundle" | "files" | "seal">

type Opened = EventOf<"session.opened">

/** Names tried before giving up: the plain one, with the session, with a number. */
const NAMES = 20
const MAX_MANIFEST = 1 << 20

/** Date and time as they stand in `at`, in its own zone. */
const stamp = (at: string): string => at.slice(0, 19).replaceAll(/[-:]/g, "").replace("T", "_")

const plainName = (opened: Opened): string => `${stamp(opened.at)}_${opened.ticket ?? opened.session}`

/** The folder's plain name, so that a bundle that was sent away still says when and what. */
export const bundleName = (opened: Opened): string => `${plainName(opened)}.vtb`

/** Names for the folder of a version, the first that is free counts: that of the call, or `v2` ... inside it. */
export const candidates = (opened: Opened, version: number): ReadonlyArray<string> => {
  const name = version === 1 ? plainName(opened) : `v${version}`
  const own = version === 1 && opened.ticket === undefined ? name : `${name}_${opened.session}`
  return [...new Set([name, own]), ...Array.from({ length: NAMES }, (_, index) => `${own}_${index + 2}`)]
}

const exists = (path: string): Promise<boolean> =>
  stat(path).then(
    () => true,
    (cause: unknown) => {
      if (systemCode(cause) === "ENOENT") return false
      throw cause
    }
  )

const decodeManifest = Schema.decodeUnknownOption(Schema.fromJsonString(Schema.Struct({ folder: Schema.Array(BundleFile) })))

/** The files that the bundle in `folder` says lie beside it, and the bundle; `undefined` when one is missing or changed. */
const filesOf = async (folder: string, bundle: string): Promise<Output["files"] | undefined> => {
  const path = join(folder, bundle)
  const file = await open(path, "r")
  try {
    const text = await readText(
      fileSource({ fd: file.fd, read: (...at) => file.read(...at) }, (await file.stat()).size),
      ENTRY.manifest,
      MAX_MANIFEST
    )
    const manifest = Option.getOrUndefined(decodeManifest(text ?? ""))
    if (manifest === undefined) return undefined
    for (const { name, bytes, sha256 } of manifest.folder) {
      const facts = await hashFile(join(folder, name)).catch(() => undefined)
      if (facts?.bytes !== bytes || facts.sha256 !== sha256) return undefined
    }
    return [...manifest.folder, { name: bundle, ...(await hashFile(path)) }]
  } finally {
    await file.close()
  }
}

/** What an earlier run left in `folder`, if it is whole and of this session. */
const kept = Effect.fnUntraced(function* (folder: string, opened: Opened) {
  const bundle = bundleName(opened)
  const checked = yield* Effect.option(verifyBundle(join(folder, bundle)))
  if (Option.isNone(checked) || !checked.value.ok || checked.value.seal?.session !== opened.session) return undefined
  const { head, events, publicKey, signature } = checked.value.seal
  const files = yield* onDisk(folder, () => filesOf(folder, bundle))
  return files === undefined ? undefined : ({ folder, bundle, files, seal: { head, events, publicKey, signature } } satisfies Output)
})

/** The finished folder of this call under `root`, if there is one. */
export const findOutput = Effect.fnUntraced(function* (root: string, opened: Opened, names: ReadonlyArray<string>) {
  for (const name of names) {
    const folder = join(root, name)
    if (!(yield* onDisk(root, () => exists(folder)))) return undefined
    const output = yield* kept(folder, opened)
    if (output !== undefined) return output
  }
  return undefined
})

const partialName = (opened: Opened, pid: number): string => `.voxbus-${opened.session}-${pid}.partial`

const isRunning = (pid: number): boolean => {
  try {
    process.kill(pid, 0)
    return true
  } catch (cause) {
    return systemCode(cause) === "EPERM"
  }
}

/** Removes what a run of this call left that was killed. */
const sweep = async (root: string, opened: Opened): Promise<void> => {
  for (const name of await readdir(root)) {
    const [, session, pid] = /^\.voxbus-([0-9A-Z]{26})-(\d+)\.partial$/.exec(name) ?? []
    if (session !== opened.session || (Number(pid) !== process.pid && isRunning(Number(pid)))) continue
    await rm(join(root, name), { recursive: true, force: true })
  }
}

/** An empty folder beside the final one; gone when the scope closes, unless it was moved. */
export const partialFolder = (root: string, opened: Opened): Effect.Effect<string, Retryable, Scope.Scope> =>
  Effect.acquireRelease(
    onDisk(root, async () => {
      await mkdir(root, { recursive: true })
      await sweep(root, opened)
      const partial = join(root, partialName(opened, process.pid))
      await mkdir(partial)
      return partial
    }),
    (partial) => Effect.ignore(onDisk(partial, () => rm(partial, { recursive: true, force: true })))
  )

/** `false` when something is there already. */
const moveTo = (partial: string, folder: string): Effect.Effect<boolean, Retryable> =>
  onDisk(folder, async () => {
    // An empty folder would be replaced silently.
    if (await exists(folder)) return false
    try {
      await rename(partial, folder)
      return true
    } catch (cause) {
      if (await exists(folder)) return false
      throw cause
    }
  })

/**
 * Gives the finished `partial` its name, on the disk for good.
 *
 * @returns the folder; or what another process put there first for the same call.
 */
export const publishFolder = Effect.fnUntraced(function* (
  root: string,
  opened: Opened,
  names: ReadonlyArray<string>,
  partial: string,
  output: Omit<Output, "folder">
) {
  yield* onDisk(partial, () => syncFolder(partial))
  for (const name of names) {
    const folder = join(root, name)
    if (yield* moveTo(partial, folder)) {
      yield* onDisk(root, () => syncFolder(root))
      return { folder, ...output } satisfies Output
    }
    const other = yield* kept(folder, opened)
    if (other !== undefined) return other
  }
  return yield* unwritable(join(root, names[0] ?? ""), new Error("folders of that name are in the way"))
})
