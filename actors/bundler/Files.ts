/**
 * File work of the bundler: written means fsynced, and a failure says whether the disk is full or the folder is not
 * writable. Everything streams; nothing here holds a file in memory.
 */
import * as Effect from "effect/Effect"
import { createHash } from "node:crypto"
import { createReadStream } from "node:fs"
import { open, type FileHandle } from "node:fs/promises"
import { pipeline } from "node:stream/promises"
import type { ErrorCode } from "../../contract/Errors.ts"
import { describe, Retryable, systemCode } from "../../kernel/Failure.ts"

export interface FileFacts {
  readonly bytes: number
  readonly sha256: string
}

const isFull = (cause: unknown): boolean => ["ENOSPC", "EDQUOT"].includes(systemCode(cause) ?? "")

/** @param path What could not be written, for the message. */
export const unwritable = (path: string, cause: unknown): Retryable =>
  new Retryable({
    code: "bundle.unwritable" satisfies ErrorCode,
    message: isFull(cause)
      ? `The disk is full: ${path} could not be written. Free space, then retry.`
      : `${path} cannot be written (${describe(cause)}). Change its permissions or choose another output folder, then retry.`,
    cause
  })

/** Work on files under `path`; whatever goes wrong is `bundle.unwritable`. */
export const onDisk = <A>(path: string, work: (signal: AbortSignal) => Promise<A>): Effect.Effect<A, Retryable> =>
  Effect.tryPromise({ try: work, catch: (cause) => unwritable(path, cause) })

/** Opens `path` for writing (it must not exist), and fsyncs and closes it when `fill` is done. */
export const writing = async <A>(path: string, fill: (file: FileHandle) => Promise<A>): Promise<A> => {
  const file = await open(path, "wx")
  try {
    const result = await fill(file)
    await file.sync()
    return result
  } finally {
    await file.close()
  }
}

/** All of `bytes`; a short write (a nearly full disk) is followed up until it succeeds or fails. */
export const writeAll = async (file: FileHandle, bytes: Uint8Array): Promise<void> => {
  for (let at = 0; at < bytes.length;) at += (await file.write(bytes, at)).bytesWritten
}

/** Makes renames and new files in `folder` last. Windows cannot open a folder; its renames are journaled. */
export const syncFolder = async (folder: string): Promise<void> => {
  if (process.platform === "win32") return
  const handle = await open(folder, "r")
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

export const hashFile = async (path: string, signal?: AbortSignal): Promise<FileFacts> => {
  const hash = createHash("sha256")
  let bytes = 0
  await pipeline(
    createReadStream(path, { highWaterMark: 1 << 20 }),
    async (source: AsyncIterable<Buffer>) => {
      for await (const part of source) {
        hash.update(part)
        bytes += part.length
      }
    },
    signal === undefined ? {} : { signal }
  )
  return { bytes, sha256: hash.digest("hex") }
}
