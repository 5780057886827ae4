import { assert, describe, it } from "@effect/vitest"
import { Kept } from "./Kept.ts"

const frame = (...values: ReadonlyArray<number>) => Int16Array.from(values)
const flat = (frames: ReadonlyArray<Int16Array>) => frames.flatMap((each) => [...each])

describe("what is not saved yet", () => {
  it("is sent again from the middle of a frame on, whole samples of two channels", () => {
    const kept = new Kept(2)
    kept.push(frame(1, 2, 3, 4))
    kept.push(frame(5, 6))
    assert.strictEqual(kept.next, 3)
    assert.deepStrictEqual(flat(kept.since(1)), [3, 4, 5, 6])
    assert.deepStrictEqual(flat(kept.since(3)), [])
  })

  it("is let go once it is saved, and only then", () => {
    const kept = new Kept(1)
    kept.push(frame(1, 2))
    kept.push(frame(3, 4))
    kept.letGo(3)
    assert.deepStrictEqual(flat(kept.since(2)), [3, 4])
    assert.deepStrictEqual(flat(kept.since(3)), [4])
  })

  it("counts on where the gateway is after the page was loaded anew", () => {
    const kept = new Kept(1)
    assert.deepStrictEqual(flat(kept.since(1_000)), [])
    kept.push(frame(7))
    assert.strictEqual(kept.next, 1_001)
    assert.deepStrictEqual(flat(kept.since(1_000)), [7])
  })
})
