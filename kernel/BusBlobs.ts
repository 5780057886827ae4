/**
 * `Blobs` and `Frames` over the bus. Part 0 of a blob is written last, so a blob that can be seen is whole; its headers
 * carry how many parts there are.
 */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Stream from "effect/Stream"
import { createHash } from "node:crypto"
import { createReadStream } from "node:fs"
import { stat } from "node:fs/promises"
import type { BlobRef } from "../contract/Events.ts"
import { blobStream, blobSubject, frameStream, framesSubject } from "../contract/Subjects.ts"
import { Blobs, type BlobOwner } from "./Blobs.ts"
import { Bus, type Bytes } from "./Bus.ts"
import { describe, type Failure, Terminal } from "./Failure.ts"
import { Frames } from "./Frames.ts"

/** Bytes of a part: half of what NATS allows in a message by default. */
const PART = 512 * 1024

const sha256 = (bytes: Bytes) => createHash("sha256").update(bytes).digest("hex")

const missing = (ref: BlobRef) =>
  new Terminal({
    code: "blob.missing",
    message: `Stored audio ${ref.sha256.slice(0, 12)}... is not there any more. Import the file again.`
  })

const corrupt = (ref: BlobRef) =>
  new Terminal({
    code: "blob.corrupt",
    message: `Stored audio ${ref.sha256.slice(0, 12)}... does not match its SHA-256. Import the file again.`
  })

/** Cuts a stream of byte arrays into parts of exactly `PART` bytes, the last one shorter. */
async function* inParts(chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  let held: Array<Buffer> = []
  let size = 0
  for await (const chunk of chunks) {
    held.push(chunk)
    size += chunk.length
    while (size >= PART) {
      const joined = Buffer.concat(held)
      yield joined.subarray(0, PART)
      const rest = joined.subarray(PART)
      held = [rest]
      size = rest.length
    }
  }
  if (size > 0) yield Buffer.concat(held)
}

const make = Effect.gen(function* () {
  const bus = yield* Bus

  const putPart = (owner: BlobOwner, sha: string, part: number, data: Bytes, parts: number) => {
    const subject = blobSubject(owner.mode, owner.session, sha, part)
    return bus.publish({ subject, data, headers: { "Vox-Parts": String(parts) }, messageId: subject, once: subject })
  }

  const first = (owner: BlobOwner, ref: BlobRef) =>
    bus
      .last(blobStream(owner.mode), [blobSubject(owner.mode, owner.session, ref.sha256, 0)])
      .pipe(Effect.flatMap(([message]) => (message === undefined ? Effect.fail<Failure>(missing(ref)) : Effect.succeed(message))))

  /** The parts of a blob in order; the first one costs a look-up, the others one each. */
  const parts = (owner: BlobOwner, ref: BlobRef): Stream.Stream<Bytes, Failure> =>
    Stream.unwrap(
      Effect.map(first(owner, ref), (head) => {
        const count = Number(head.headers["Vox-Parts"] ?? "1")
        const rest = Stream.range(1, count - 1).pipe(
          Stream.mapEffect((part) =>
            bus
              .last(blobStream(owner.mode), [blobSubject(owner.mode, owner.session, ref.sha256, part)])
              .pipe(
                Effect.flatMap(([message]) => (message === undefined ? Effect.fail<Failure>(missing(ref)) : Effect.succeed(message.data)))
              )
          )
        )
        return count <= 1 ? Stream.make(head.data) : Stream.concat(Stream.make(head.data), rest)
      })
    )

  const checked = (owner: BlobOwner, ref: BlobRef): Stream.Stream<Bytes, Failure> =>
    Stream.suspend(() => {
      const hash = createHash("sha256")
      return parts(owner, ref).pipe(
        Stream.tap((part) => Effect.sync(() => hash.update(part))),
        Stream.concat(
          Stream.unwrap(
            Effect.suspend(() => (hash.digest("hex") === ref.sha256 ? Effect.succeed(Stream.empty) : Effect.fail(corrupt(ref))))
          )
        )
      )
    })

  return Blobs.of({
    put: Effect.fnUntraced(function* (owner, bytes, mediaType) {
      const sha = sha256(bytes)
      const count = Math.max(1, Math.ceil(bytes.length / PART))
      for (let part = count - 1; part >= 0; part -= 1) {
        yield* putPart(owner, sha, part, bytes.subarray(part * PART, (part + 1) * PART), count)
      }
      return { sha256: sha, bytes: bytes.length, mediaType }
    }),
    putFile: Effect.fnUntraced(function* (owner, path, mediaType) {
      const unreadable = (cause: unknown) =>
        new Terminal({ code: "input.missing", message: `${path} cannot be read: ${describe(cause)}`, cause })
      const { size } = yield* Effect.tryPromise({ try: () => stat(path), catch: unreadable })
      const sha = yield* Effect.tryPromise({
        try: async () => {
          const hash = createHash("sha256")
          for await (const chunk of createReadStream(path, { highWaterMark: PART })) hash.update(chunk)
          return hash.digest("hex")
        },
        catch: unreadable
      })
      const ref: BlobRef = { sha256: sha, bytes: size, mediaType }
      const count = Math.max(1, Math.ceil(size / PART))
      let head: Buffer = Buffer.alloc(0)
      yield* Stream.fromAsyncIterable(inParts(createReadStream(path, { highWaterMark: PART })), unreadable).pipe(
        Stream.zipWithIndex,
        Stream.mapEffect(
          ([data, part]) => (part === 0 ? Effect.sync(() => void (head = data)) : Effect.asVoid(putPart(owner, sha, part, data, count))),
          {
            concurrency: 4
          }
        ),
        Stream.runDrain
      )
      yield* putPart(owner, sha, 0, head, count)
      return ref
    }),
    get: Effect.fnUntraced(function* (owner, ref) {
      const found = yield* Stream.runCollect(checked(owner, ref))
      return found.length === 1 && found[0] !== undefined ? found[0] : Buffer.concat(found)
    }),
    stream: checked
  })
})

export const busBlobs: Layer.Layer<Blobs, never, Bus> = Layer.effect(Blobs, make)

export const busFrames: Layer.Layer<Frames, never, Bus> = Layer.effect(
  Frames,
  Effect.gen(function* () {
    const bus = yield* Bus
    return Frames.of({
      read: (owner, range) =>
        bus
          .range(frameStream(owner.mode), framesSubject(owner.mode, owner.session), range.first, range.last)
          .pipe(Stream.map((frame) => frame.data))
    })
  })
)
