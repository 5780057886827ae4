import { assert, describe, it } from "@effect/vitest"
import { type Endpoint, makeEndpointer } from "./Endpointing.ts"

const PIECE = 40

/** `speech` and `silence` in milliseconds, in turn; what happened, and at which millisecond of the audio. */
const run = (settings: Partial<Parameters<typeof makeEndpointer>[0]>, ...lengths: ReadonlyArray<number>) => {
  const endpointer = makeEndpointer({ silenceMs: 600, minSpeechMs: 200, longestMs: 10_000, ...settings })
  const found: Array<readonly [Endpoint, number]> = []
  let at = 0
  for (const [index, length] of lengths.entries()) {
    for (let left = length; left > 0; left -= PIECE) {
      at += PIECE
      const endpoint = endpointer.push(PIECE, index % 2 === 0)
      if (endpoint !== undefined) found.push([endpoint, at])
    }
  }
  return found
}

describe("endpoints of a question", () => {
  it("are its first speech and the end of a long pause; short pauses belong to it", () => {
    assert.deepStrictEqual(run({}, 0, 1_000, 800, 400, 800, 2_000), [
      ["started", 1_040],
      ["ended", 3_600]
    ])
  })

  it("a noise is dropped when its pause is over", () => {
    assert.deepStrictEqual(run({}, 120, 1_000, 400, 1_000), [
      ["started", 40],
      ["dropped", 720],
      ["started", 1_160],
      ["ended", 2_120]
    ])
  })

  it("speech without a pause ends at the limit, and what follows is another question", () => {
    assert.deepStrictEqual(run({ longestMs: 2_000 }, 3_000, 1_000), [
      ["started", 40],
      ["ended", 2_000],
      ["started", 2_040],
      ["ended", 3_600]
    ])
  })

  it("forgets on demand", () => {
    const endpointer = makeEndpointer({ silenceMs: 80, minSpeechMs: 40, longestMs: 1_000 })
    endpointer.push(PIECE, true)
    assert.isTrue(endpointer.open())
    assert.strictEqual(endpointer.speech(), PIECE)
    endpointer.reset()
    assert.isFalse(endpointer.open())
    assert.isUndefined(endpointer.push(PIECE, false))
    assert.strictEqual(endpointer.push(PIECE, true), "started")
  })
})
