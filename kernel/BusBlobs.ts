/**
 * `Blobs` and `Frames` over the bus. Part 0 of a blob is written last, so a blob that can be seen is whole; its headers
 * carry how many parts there are.
 */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import { createHash } from "node:crypto"
import { createReadStream } from "node:fs"
import { stat } from "node:fs/promises"
import type { BlobRef } from "../contract/Events.ts"
import { blobStream, blobSubject, FRAME, frameStream, framesSubject } from "../contract/Subjects.ts"
import { Blobs, type BlobOwner } from "./Blobs.ts"
import { Bus, type Bytes, type Recorded } from "./Bus.ts"
import { describe, type Failure, Terminal } from "./Failure.ts"
import { Frames, type LiveFrame } from "./Frames.ts"

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

/** Sequences are below this. */
const LAST = Number.MAX_SAFE_INTEGER
/** Frames held at once while a long recording is read again. */
const BATCH = 128
/** How often a recording that goes on is looked at. */
const POLL = "200 millis"

const liveFrame = ({ sequence, data, headers }: Recorded): LiveFrame => {
  const end = headers[FRAME.end]
  return {
    sequence,
    data,
    sampleRate: Number(headers[FRAME.rate]),
    channels: Number(headers[FRAME.channels]),
    span: Number(headers[FRAME.span]),
    start: Number(headers[FRAME.start]),
    ...(end === "closed" || end === "cancelled" ? { end } : {})
  }
}

export const busFrames: Layer.Layer<Frames, never, Bus> = Layer.effect(
  Frames,
  Effect.gen(function* () {
    const bus = yield* Bus
    const range = (owner: BlobOwner, first: number, last: number) =>
      bus.range(frameStream(owner.mode), framesSubject(owner.mode, owner.session), first, last)
    const saved = (owner: BlobOwner, from = 1) => Stream.map(range(owner, from, LAST), liveFrame)
    return Frames.of({
      read: (owner, { first, last }) => Stream.map(range(owner, first, last), (frame) => frame.data),
      saved,
      follow: (owner, from = 1) =>
        Stream.paginate(from, (next: number) =>
          Stream.runCollect(Stream.take(saved(owner, next), BATCH)).pipe(
            Effect.tap((frames) => (frames.length === 0 ? Effect.sleep(POLL) : Effect.void)),
            Effect.map((frames) => {
              const ended = frames.findIndex((frame) => frame.end !== undefined)
              const wanted = ended < 0 ? frames : frames.slice(0, ended + 1)
              const after = (wanted.at(-1)?.sequence ?? next - 1) + 1
              return [wanted, ended < 0 ? Option.some(after) : Option.none<number>()] as const
            })
          )
        )
    })
  })
)
