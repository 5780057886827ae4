import { assert, describe, it } from "@effect/vitest"
import * as fc from "fast-check"
import { encodeFrame, makeParser } from "./Frames.ts"

const text = (json: object) => Buffer.from(`${JSON.stringify(json)}\n`)

describe("Wyoming frames", () => {
  it("come out as they went in, however they were cut", () => {
    const frame = fc.record({
      type: fc.string({ minLength: 1 }),
      data: fc.dictionary(fc.string(), fc.jsonValue()),
      payload: fc.uint8Array({ maxLength: 200 })
    })
    fc.assert(
      fc.property(fc.array(frame, { maxLength: 5 }), fc.integer({ min: 1, max: 50 }), (frames, size) => {
        const wire = Buffer.concat(frames.map(({ type, data, payload }) => encodeFrame(type, data, payload)))
        const parse = makeParser()
        const found = []
        for (let at = 0; at < wire.length; at += size) found.push(...parse(wire.subarray(at, at + size)))
        assert.deepStrictEqual(
          JSON.stringify(found.map(({ type, data }) => [type, data])),
          JSON.stringify(frames.map(({ type, data }) => [type, data]))
        )
        assert.deepStrictEqual(
          found.map(({ payload }) => [...payload]),
          frames.map(({ payload }) => [...payload])
        )
      }),
      { numRuns: 200, seed: 7 }
    )
  })

  it("take data of the line and of the block", () => {
    const [frame] = makeParser()(Buffer.concat([text({ type: "a", data: { x: 1, y: 1 }, data_length: 7 }), Buffer.from('{"y":2}')]))
    assert.deepStrictEqual(frame?.data, { x: 1, y: 2 })
    assert.strictEqual(makeParser()(text({ type: "a", data: null, data_length: null, payload_length: 0 })).length, 1)
  })

  it("that are none are refused before they fill the memory, and nothing else happens", () => {
    for (const bytes of [
      Buffer.from("GET / HTTP/1.1\r\n"),
      Buffer.alloc(70_000, 65),
      text({ type: 7 }),
      text({}),
      text({ type: "a", data_length: -1 }),
      text({ type: "a", payload_length: 1e12 }),
      text({ type: "a", data: [] }),
      Buffer.concat([text({ type: "a", data_length: 4 }), Buffer.from("nope")])
    ])
      assert.throws(() => makeParser()(bytes), /not Wyoming/)
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        try {
          makeParser()(Buffer.concat([bytes, Buffer.from("\n")]))
        } catch (cause) {
          assert.match(String(cause), /not Wyoming/)
        }
      }),
      { numRuns: 500, seed: 7 }
    )
  })
})
