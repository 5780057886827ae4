/** R8 for random talk in random blocks; a pattern that breaks a law is shrunk to the shortest that does. */
import { assert, describe, it } from "@effect/vitest"
import * as fc from "fast-check"
import { runsOf } from "../../kernel/testkit/Properties.ts"
import type { Span } from "./Chunker.ts"
import { brokenLaw, chunksIn, type Piece, spansOf } from "./testkit/ChunkerLaws.ts"

const RATE = 16_000
const seconds = (most: number) => fc.integer({ min: 1, max: most * RATE })

/** Words, sentences, monologues without a breath; pauses as in talk, and long silence. */
const talk = fc.oneof(seconds(1), seconds(6), seconds(24), seconds(100))
const pause = fc.oneof(seconds(1), seconds(2), seconds(6), seconds(40))
const pattern = fc.record({
  parts: fc.array(fc.record({ pause, talk }), { maxLength: 14 }),
  begins: fc.boolean(),
  rest: fc.oneof(fc.constant(0), seconds(40))
})
const pieces = fc.array(fc.record({ length: seconds(40), lag: fc.nat({ max: 2 * RATE }) }), { minLength: 1, maxLength: 12 })

const laid = ({ parts, begins, rest }: { parts: ReadonlyArray<{ pause: number; talk: number }>; begins: boolean; rest: number }) => {
  const speech: Array<Span> = []
  let at = 0
  for (const [index, part] of parts.entries()) {
    const start = at + (index === 0 && begins ? 0 : part.pause)
    at = start + part.talk
    speech.push({ start, end: at })
  }
  return { total: Math.max(1, at + rest), speech }
}

const inTurn = (of: ReadonlyArray<Piece>) => {
  let n = 0
  return (): Piece => of[n++ % of.length] ?? { length: 1, lag: 0 }
}

describe("every chunker", () => {
  it("keeps every speech sample in exactly one chunk of at most 30 s", { timeout: 600_000 }, () => {
    fc.assert(
      fc.property(pattern, pieces, (given, blocks) => {
        const { total, speech } = laid(given)
        assert.isUndefined(brokenLaw(total, speech, chunksIn(total, speech, inTurn(blocks))))
      }),
      { numRuns: runsOf(1_000) }
    )
  })

  it("makes the same chunks however the input is cut into blocks", { timeout: 600_000 }, () => {
    fc.assert(
      fc.property(pattern, pieces, pieces, (given, blocks, others) => {
        const { total, speech } = laid(given)
        const chunks = chunksIn(total, speech, inTurn(blocks))
        assert.deepStrictEqual(spansOf(chunksIn(total, speech, inTurn(others))), spansOf(chunks))
      }),
      { numRuns: runsOf(500) }
    )
  })

  it("would be found out: a chunk too few, too long, or twice", () => {
    const speech = [{ start: 0, end: 50 * RATE }]
    const chunks = chunksIn(60 * RATE, speech, () => ({ length: RATE, lag: 0 }))
    const [first] = chunks
    assert.isAtLeast(chunks.length, 2)
    assert.strictEqual(brokenLaw(60 * RATE, speech, chunks.slice(1)), "every speech sample is in a chunk")
    if (first === undefined) return assert.fail("no chunk")
    assert.strictEqual(brokenLaw(60 * RATE, speech, [first, first]), "chunks are in order and disjoint")
    assert.strictEqual(brokenLaw(60 * RATE, speech, [{ ...first, end: 31 * RATE }]), "no chunk is longer than 30 s")
  })
})
