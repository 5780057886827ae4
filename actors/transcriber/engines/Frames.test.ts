import { assert, describe, it } from "@effect/vitest"
import { decoder, encode } from "./Frames.ts"

const messages = [
  { header: { id: 1, text: "größer 音" }, body: Buffer.from([1, 2, 3]) },
  { header: { id: 2 }, body: Buffer.alloc(0) },
  { header: { id: 3 }, body: Buffer.alloc(70_000, 7) }
]
const wire = Buffer.concat(messages.map(({ header, body }) => encode(header, body)))

describe("Frames", () => {
  it("gives back what was written, however the pipe cuts it", () => {
    for (const size of [1, 7, 8, 9, 4_096, wire.length]) {
      const take = decoder()
      const frames = []
      for (let at = 0; at < wire.length; at += size) frames.push(...take(wire.subarray(at, at + size)))
      assert.deepStrictEqual(
        frames.map(({ header, body }) => ({ header, body: Buffer.from(body) })),
        messages,
        `in pieces of ${size} bytes`
      )
    }
  })

  it("keeps half a frame for later", () => {
    const take = decoder()
    assert.deepStrictEqual(take(wire.subarray(0, 20)), [])
    assert.strictEqual(take(wire.subarray(20)).length, 3)
  })

  it("refuses what cannot be a frame", () => {
    assert.throws(() => decoder()(Buffer.from("Traceback (most recent call last)")), /not possible/)
  })
})
