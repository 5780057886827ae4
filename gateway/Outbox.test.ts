/** A client that does not read is let go, and never holds up anybody. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { isCloseEvent, type Writer } from "effect/socket/Socket"
import { makeOutbox } from "./Outbox.ts"

const recorder = () => {
  const written: Array<string | number> = []
  const note = (chunk: Parameters<Writer["write"]>[0]) =>
    void written.push(isCloseEvent(chunk) ? chunk.code : typeof chunk === "string" ? chunk : chunk.length)
  const writer: Writer = {
    write: (chunk) => Effect.sync(() => note(chunk)),
    writeAll: (chunks) => Effect.sync(() => chunks.forEach(note))
  }
  return { written, writer }
}

describe("Outbox", () => {
  it.effect("sends audio right behind its message, in frames of at most 64 KiB", () =>
    Effect.gen(function* () {
      const { written, writer } = recorder()
      const outbox = makeOutbox(writer, () => 0)
      yield* outbox.speak({ type: "speech.done", turn: 1, generation: 0 }, new Uint8Array(150_000))
      yield* outbox.send({ type: "pong" })
      assert.deepStrictEqual(written, ['{"type":"speech.done","turn":1,"generation":0}', 65_536, 65_536, 18_928, '{"type":"pong"}'])
    })
  )

  it.effect("closes with 1013 when too much is waiting, and then is silent", () =>
    Effect.gen(function* () {
      const { written, writer } = recorder()
      let waiting = 4 * 1024 * 1024
      const outbox = makeOutbox(writer, () => waiting)
      yield* outbox.send({ type: "pong" })
      waiting += 1
      yield* outbox.send({ type: "pong" })
      yield* outbox.send({ type: "pong" })
      assert.deepStrictEqual(written, ['{"type":"pong"}', 1013])
    })
  )
})
