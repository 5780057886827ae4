/** The bus keeps its promises: the same suite on the in-memory bus and on a real nats-server. */
import { assert, describe, layer } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Stream from "effect/Stream"
import { ulid } from "ulid"
import { Blobs } from "../kernel/Blobs.ts"
import { Bus } from "../kernel/Bus.ts"
import { busBlobs, busFrames } from "../kernel/BusBlobs.ts"
import { Frames } from "../kernel/Frames.ts"
import { memoryBus } from "../kernel/testkit/MemoryBus.ts"
import { realBus } from "./support/server.ts"

const bytes = (text: string) => new TextEncoder().encode(text)
const text = (data: Uint8Array) => new TextDecoder().decode(data)

for (const [name, bus] of [
  ["memory", memoryBus],
  ["nats", realBus]
] as const) {
  describe(`bus: ${name}`, () => {
    layer(Layer.mergeAll(busBlobs, busFrames).pipe(Layer.provideMerge(bus)), { excludeTestServices: true, timeout: 30_000 })((it) => {
      it.effect("stores a message id once", () =>
        Effect.gen(function* () {
          const bus = yield* Bus
          const subject = `audio.captured.call.${ulid()}.000001`
          const first = yield* bus.publish({ subject, data: bytes("a"), messageId: `id-${subject}` })
          const second = yield* bus.publish({ subject, data: bytes("b"), messageId: `id-${subject}` })
          assert.isTrue(first.stored)
          assert.isFalse(second.stored)
          assert.deepStrictEqual(
            (yield* bus.last("CALLS", [subject])).map((record) => text(record.data)),
            ["a"]
          )
        })
      )

      it.effect("knows the newest sequence of a stream", () =>
        Effect.gen(function* () {
          const bus = yield* Bus
          const before = yield* bus.newest("CALLS")
          const { sequence } = yield* bus.publish({ subject: `audio.captured.call.${ulid()}.000001`, data: bytes("a") })
          assert.strictEqual(yield* bus.newest("CALLS"), sequence)
          assert.isAbove(sequence, before)
        })
      )

      it.effect("allows one message below a `once` filter, over different subjects", () =>
        Effect.gen(function* () {
          const bus = yield* Bus
          const session = ulid()
          const once = `text.*.call.${session}.000001`
          const done = yield* bus.publish({
            subject: `text.transcribed.call.${session}.000001`,
            data: bytes("a"),
            messageId: `t${session}`,
            once
          })
          const rejected = yield* bus.publish({
            subject: `text.rejected.call.${session}.000001`,
            data: bytes("b"),
            messageId: `r${session}`,
            once
          })
          const other = yield* bus.publish({
            subject: `text.rejected.call.${session}.000002`,
            data: bytes("c"),
            once: `text.*.call.${session}.000002`
          })
          assert.deepStrictEqual([done.stored, rejected.stored, other.stored], [true, false, true])
        })
      )

      it.effect("delivers again after the ack wait, and not after an ack", () =>
        Effect.gen(function* () {
          const bus = yield* Bus
          const session = ulid()
          const consumer = yield* bus.consumer({
            stream: "CALLS",
            durable: `c${session}`,
            filters: [`job.queued.call.${session}`],
            ackWaitMs: 300
          })
          yield* bus.publish({ subject: `job.queued.call.${session}`, data: bytes("x") })
          const first = yield* consumer.next(2_000)
          const second = yield* consumer.next(2_000)
          assert.deepStrictEqual([first?.attempt, second?.attempt], [1, 2])
          if (second !== undefined) yield* second.ack
          assert.isUndefined(yield* consumer.next(1_000))
        })
      )

      it.effect("keeps a unit that shows signs of life", () =>
        Effect.gen(function* () {
          const bus = yield* Bus
          const session = ulid()
          const consumer = yield* bus.consumer({
            stream: "CALLS",
            durable: `w${session}`,
            filters: [`job.queued.call.${session}`],
            ackWaitMs: 600
          })
          yield* bus.publish({ subject: `job.queued.call.${session}`, data: bytes("x") })
          const held = yield* consumer.next(2_000)
          assert.strictEqual(held?.attempt, 1)
          if (held === undefined) return
          const beat = yield* held.working.pipe(Effect.andThen(Effect.sleep("100 millis")), Effect.repeat({ times: 15 }), Effect.forkChild)
          assert.isUndefined(yield* consumer.next(1_200))
          yield* Fiber.interrupt(beat)
          yield* held.ack
        })
      )

      it.effect("reads what is there, then ends; tails what comes", () =>
        Effect.gen(function* () {
          const bus = yield* Bus
          const session = ulid()
          const subject = (n: number) => `text.partial.call.${session}.000001.${n}`
          for (const n of [1, 2, 3]) yield* bus.publish({ subject: subject(n), data: bytes(String(n)) })
          const filters = [`text.partial.call.${session}.>`]
          const read = yield* Stream.runCollect(bus.read("CALLS", { filters }))
          assert.deepStrictEqual(
            read.map((record) => text(record.data)),
            ["1", "2", "3"]
          )
          const tail = yield* bus
            .tail("CALLS", { filters, from: read[1]?.sequence ?? 0 })
            .pipe(Stream.take(3), Stream.runCollect, Effect.forkChild)
          yield* Effect.sleep("200 millis")
          yield* bus.publish({ subject: subject(4), data: bytes("4") })
          assert.deepStrictEqual(
            (yield* Fiber.join(tail)).map((record) => text(record.data)),
            ["2", "3", "4"]
          )
          assert.deepStrictEqual([...(yield* bus.count("CALLS", `text.partial.call.${session}.>`)).values()], [1, 1, 1, 1])
          assert.strictEqual(yield* bus.purge("CALLS", `text.partial.call.${session}.>`), 4)
          assert.deepStrictEqual(yield* Stream.runCollect(bus.read("CALLS", { filters })), [])
        })
      )

      it.effect("gives blobs back whole, large ones in parts, and knows a missing one", () =>
        Effect.gen(function* () {
          const blobs = yield* Blobs
          const owner = { mode: "assistant", session: ulid() } as const
          for (const size of [0, 5, 512 * 1024, 1_500_000]) {
            const data = new Uint8Array(size).map((_, index) => index % 251)
            const ref = yield* blobs.put(owner, data, "application/octet-stream")
            assert.deepStrictEqual(Buffer.compare(Buffer.from(yield* blobs.get(owner, ref)), Buffer.from(data)), 0)
          }
          const missing = yield* Effect.flip(blobs.get(owner, { sha256: "0".repeat(64), bytes: 1, mediaType: "" }))
          assert.strictEqual(missing.code, "blob.missing")
        })
      )

      it.effect("reads a range of frames of one session, in order", () =>
        Effect.gen(function* () {
          const bus = yield* Bus
          const frames = yield* Frames
          const [mine, other] = [ulid(), ulid()]
          const sequences: Array<number> = []
          for (let n = 0; n < 600; n += 1) {
            const { sequence } = yield* bus.publish({ subject: `frames.assistant.${mine}`, data: bytes(String(n)) })
            sequences.push(sequence)
            if (n % 7 === 0) yield* bus.publish({ subject: `frames.assistant.${other}`, data: bytes("no") })
          }
          const range = { first: sequences[10] ?? 0, last: sequences[590] ?? 0, count: 581 }
          const read = yield* Stream.runCollect(frames.read({ mode: "assistant", session: mine }, range))
          assert.deepStrictEqual(
            read.map(text),
            Array.from({ length: 581 }, (_, n) => String(n + 10))
          )
        })
      )
    })
  })
}
