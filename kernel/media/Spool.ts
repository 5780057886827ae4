/**
 * Bytes from a stream, where a decoder can get at them: in memory when they are few (an utterance), else in a private
 * temporary file that goes with the scope. A decoder must seek, so it cannot work on the stream itself.
 */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import { type FileHandle, mkdtemp, open, rm, stat } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { describe, type Failure, Retryable, systemCode, Terminal } from "../Failure.ts"

export type Spooled =
  | { readonly kind: "memory"; readonly bytes: Buffer; readonly size: number }
  | { readonly kind: "file"; readonly path: string; readonly size: number; readonly temporary: boolean }

/** Bytes up to which nothing is written to disk: 30 s of 16 kHz WAV, minutes of Opus. */
const IN_MEMORY = 1024 * 1024

const unreadable = (path: string) => (cause: unknown) =>
  new Terminal({ code: "input.missing", message: `${path} cannot be read: ${describe(cause)}`, cause })

const unwritable = (cause: unknown) =>
  systemCode(cause) === "ENOSPC"
    ? new Retryable({
        code: "disk.full",
        message: `There is no space left in ${tmpdir()}. Free some, or set TMPDIR to another folder.`,
        cause
      })
    : new Retryable({ code: "disk.full", message: `A temporary file cannot be written in ${tmpdir()}: ${describe(cause)}`, cause })

const attempt = <A>(run: () => Promise<A>) => Effect.tryPromise({ try: run, catch: unwritable })

/** Path of a file that does not exist yet, in a folder only this user can read. */
const temporaryPath: Effect.Effect<string, Retryable, Scope.Scope> = Effect.acquireRelease(
  attempt(() => mkdtemp(join(tmpdir(), "voxbus-audio-"))),
  (folder) => Effect.promise(() => rm(folder, { recursive: true, force: true, maxRetries: 3 }))
).pipe(Effect.map((folder) => join(folder, "audio")))

/** A temporary file with these bytes. */
export const toFile = Effect.fnUntraced(function* (
  spooled: Spooled
): Effect.fn.Return<Extract<Spooled, { kind: "file" }>, Retryable, Scope.Scope> {
  if (spooled.kind === "file") return spooled
  const path = yield* temporaryPath
  yield* attempt(async () => {
    const file = await open(path, "wx", 0o600)
    try {
      await file.write(spooled.bytes)
    } finally {
      await file.close()
    }
  })
  return { kind: "file", path, size: spooled.size, temporary: true }
})

/** Takes in the whole stream. */
export const spool = Effect.fnUntraced(function* <R>(
  chunks: Stream.Stream<Uint8Array, Failure, R>
): Effect.fn.Return<Spooled, Failure, R | Scope.Scope> {
  let held: Array<Uint8Array> = []
  let size = 0
  let written: { readonly path: string; readonly file: FileHandle } | undefined
  const begin = Effect.gen(function* () {
    const path = yield* temporaryPath
    const file = yield* Effect.acquireRelease(
      attempt(() => open(path, "wx", 0o600)),
      (handle) => Effect.promise(() => handle.close())
    )
    return (written = { path, file })
  })
  yield* Stream.runForEach(chunks, (chunk) =>
    Effect.gen(function* () {
      held.push(chunk)
      size += chunk.length
      if (size <= IN_MEMORY) return
      const { file } = written ?? (yield* begin)
      const parts = held
      held = []
      yield* attempt(() => file.writeFile(Buffer.concat(parts)))
    })
  )
  return written === undefined
    ? { kind: "memory", bytes: Buffer.concat(held), size }
    : { kind: "file", path: written.path, size, temporary: true }
})

/** A file of the user's. */
export const existing = (path: string): Effect.Effect<Spooled, Terminal> =>
  Effect.tryPromise({
    try: async () => ({ kind: "file", path, size: (await stat(path)).size, temporary: false }) as const,
    catch: unreadable(path)
  })

/** Up to `length` bytes from `offset`; fewer at the end. */
export type ReadAt = (offset: number, length: number) => Effect.Effect<Buffer, Terminal>

export const reader = (spooled: Spooled): Effect.Effect<ReadAt, Terminal, Scope.Scope> => {
  if (spooled.kind === "memory") {
    const { bytes } = spooled
    return Effect.succeed((offset, length) => Effect.sync(() => bytes.subarray(offset, offset + length)))
  }
  const failed = unreadable(spooled.path)
  return Effect.acquireRelease(Effect.tryPromise({ try: () => open(spooled.path, "r"), catch: failed }), (handle) =>
    Effect.promise(() => handle.close())
  ).pipe(
    Effect.map(
      (file): ReadAt =>
        (offset, length) =>
          Effect.tryPromise({
            try: async () => {
              const { buffer, bytesRead } = await file.read(Buffer.alloc(length), 0, length, offset)
              return buffer.subarray(0, bytesRead)
            },
            catch: failed
          })
    )
  )
}
