/**
 * Where a replay works: the bus in memory, what it writes in a folder that goes away, audio of the past from the real
 * store. Nothing of it reaches the log or the output folder, and memory holds the events of one session, never its audio.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Stream from "effect/Stream"
import { createHash } from "node:crypto"
import { createReadStream, existsSync } from "node:fs"
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import type { BlobRef } from "../../contract/Events.ts"
import { Blobs } from "../../kernel/Blobs.ts"
import { Bus } from "../../kernel/Bus.ts"
import { describe, type Failure, Terminal } from "../../kernel/Failure.ts"
import { memoryBus } from "../../kernel/testkit/MemoryBus.ts"
import type { Base } from "../Registry.ts"

const unusable = (cause: unknown) =>
  new Terminal({ code: "disk.full", message: `The temporary folder cannot be used: ${describe(cause)}`, cause })

const folder = Effect.acquireRelease(Effect.tryPromise({ try: () => mkdtemp(join(tmpdir(), "voxbus-replay-")), catch: unusable }), (path) =>
  Effect.ignore(Effect.tryPromise(() => rm(path, { recursive: true, force: true })))
)

/** Writes into `path`; reads from there, then from the store of the log. */
const scratchBlobs = (path: string, log: (typeof Blobs)["Service"]) => {
  const at = ({ sha256 }: Pick<BlobRef, "sha256">) => join(path, sha256)
  return Blobs.of({
    put: (_owner, bytes, mediaType) =>
      Effect.gen(function* () {
        const sha256 = createHash("sha256").update(bytes).digest("hex")
        if (!existsSync(at({ sha256 }))) yield* Effect.tryPromise({ try: () => writeFile(at({ sha256 }), bytes), catch: unusable })
        return { sha256, bytes: bytes.length, mediaType }
      }),
    putFile: log.putFile,
    get: (owner, ref) => (existsSync(at(ref)) ? Effect.tryPromise({ try: () => readFile(at(ref)), catch: unusable }) : log.get(owner, ref)),
    stream: (owner, ref) =>
      existsSync(at(ref)) ? Stream.fromAsyncIterable<Uint8Array, Failure>(createReadStream(at(ref)), unusable) : log.stream(owner, ref)
  })
}

/** The blobs of the log with a folder before them that takes everything that is written, until the scope closes. */
export const blobsAside = Effect.gen(function* () {
  return scratchBlobs(yield* folder, yield* Blobs)
})

/** The services of the host with bus and blobs of their own, until the scope closes. */
export const scratch = Effect.gen(function* () {
  const services = yield* Effect.context<Base>()
  const blobs = yield* blobsAside
  const memory = yield* Layer.build(memoryBus)
  return services.pipe(Context.add(Bus, Context.get(memory, Bus)), Context.add(Blobs, blobs))
})
