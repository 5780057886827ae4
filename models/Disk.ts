/** Is there room? Asked before a download, so that a full disk is a sentence and not a broken file. */
import * as Effect from "effect/Effect"
import { statfs } from "node:fs/promises"
import { dirname } from "node:path"
import { Terminal } from "../kernel/Failure.ts"

/** Kept free: a disk at its last byte breaks more than us. */
const MARGIN = 100_000_000

const mega = (bytes: number): string => `${Math.ceil(bytes / 1_000_000).toLocaleString("en-US")} MB`

/** Bytes free for us on the disk of `path`, or of the nearest folder above it that exists. */
export const freeBytes = async (path: string): Promise<number> => {
  try {
    const { bavail, bsize } = await statfs(path)
    return bavail * bsize
  } catch (cause) {
    if (dirname(path) === path) throw cause
    return freeBytes(dirname(path))
  }
}

/** Fails with `disk.full` unless `need` bytes fit. A disk that does not tell is taken to have room. */
export const ensureRoom = (path: string, need: number, what: string, free = freeBytes): Effect.Effect<void, Terminal> =>
  Effect.promise(() => free(path).catch(() => Infinity)).pipe(
    Effect.flatMap((there) =>
      there >= need + MARGIN
        ? Effect.void
        : new Terminal({
            code: "disk.full",
            message: `${what} needs ${mega(need + MARGIN)} in ${path}, and ${mega(there)} are free. Free space there, or set VOXBUS_CACHE to another disk.`
          })
    )
  )
