/** Ranges, for any header and any size. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import * as fc from "fast-check"
import { cut, rangeOf } from "./Range.ts"

describe("ranges", () => {
  it("are read as RFC 9110 says", () => {
    assert.deepStrictEqual(rangeOf("bytes=0-0", 10), { start: 0, end: 1 })
    assert.deepStrictEqual(rangeOf("bytes=5-", 10), { start: 5, end: 10 })
    assert.deepStrictEqual(rangeOf("bytes=-3", 10), { start: 7, end: 10 })
    assert.deepStrictEqual(rangeOf("bytes=-30", 10), { start: 0, end: 10 })
    assert.deepStrictEqual(rangeOf("bytes=8-99", 10), { start: 8, end: 10 })
    assert.strictEqual(rangeOf("bytes=10-", 10), "unsatisfiable")
    assert.strictEqual(rangeOf("bytes=-0", 10), "unsatisfiable")
    for (const other of [undefined, "bytes=-", "bytes=5-2", "bytes=0-1,4-5", "items=0-1", "bytes=x"]) assert.isUndefined(rangeOf(other, 10))
  })

  it("lie within the file, whatever is asked for", () => {
    fc.assert(
      fc.property(fc.string(), fc.nat(), fc.nat(), fc.nat(1e9), (text, a, b, size) => {
        for (const header of [text, `bytes=${a}-${b}`, `bytes=${a}-`, `bytes=-${b}`, `bytes=${text}`]) {
          const range = rangeOf(header, size)
          if (typeof range === "object") assert.isTrue(range.start >= 0 && range.start <= range.end && range.end <= size, header)
        }
      }),
      { numRuns: 500, seed: 7 }
    )
  })

  it.effect("cut the same bytes out of blocks as out of the whole", () =>
    Effect.promise(() =>
      fc.assert(
        fc.asyncProperty(fc.array(fc.uint8Array({ maxLength: 9 }), { maxLength: 9 }), fc.nat(80), fc.nat(80), async (blocks, a, b) => {
          const whole = Buffer.concat(blocks)
          const [start, end] = [Math.min(a, b, whole.length), Math.min(Math.max(a, b), whole.length)]
          const parts = await Effect.runPromise(Stream.runCollect(cut(Stream.fromIterable(blocks), { start, end })))
          assert.isTrue(Buffer.concat([...parts]).equals(whole.subarray(start, end)))
        }),
        { numRuns: 300, seed: 7 }
      )
    )
  )
})
