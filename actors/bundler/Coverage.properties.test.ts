/** Coverage cannot hide a loss, whatever became of the chunks and in whatever order. */
import { assert, describe, it } from "@effect/vitest"
import * as fc from "fast-check"
import { runsOf } from "../../kernel/testkit/Properties.ts"
import { merge, type SettledCall } from "./Merge.ts"
import { at, chunk, completed, opened, raised, rejected, segmentOf, transcribed } from "./Specimen.ts"

/** Seconds of speech in a chunk of ten, and how the chunk ended. */
const ending = fc.record({
  speech: fc.nat({ max: 9 }),
  how: fc.constantFrom("words", "no words", "silence", "no_speech", "marker", "dead", "missing", "dead, then words")
})
type Ending = { readonly speech: number; readonly how: string }
const SECONDS = 10

const callOf = (endings: ReadonlyArray<Ending>, unchunked: number): SettledCall => {
  const units = endings.map((each, index) => ({ ...each, unit: index + 1, from: index * SECONDS }))
  const of = (...how: ReadonlyArray<string>) => units.filter((each) => how.includes(each.how))
  return {
    opened,
    completed: completed(
      endings.length,
      endings.length * SECONDS,
      endings.reduce((sum, { speech }) => sum + speech, unchunked)
    ),
    chunks: units.map(({ unit, from, speech }) => chunk(unit, from, from + SECONDS, speech === 0 ? [] : [[from, from + speech]])),
    transcribed: [
      ...of("words", "dead, then words").map(({ unit, from }) => transcribed(unit, [segmentOf(`Unit ${unit} speaks.`, from, from + 5)])),
      ...of("no words").map(({ unit, from }) => transcribed(unit, [segmentOf("", from, from + 1, [])]))
    ],
    rejected: [
      ...of("silence").map(({ unit, from }) => rejected(unit, from, from + SECONDS, "silence")),
      ...of("no_speech").map(({ unit, from }) => rejected(unit, from, from + SECONDS, "no_speech")),
      ...of("marker").map(({ unit, from }) => rejected(unit, from, from + SECONDS, "marker"))
    ],
    dead: of("dead", "dead, then words").map(({ unit }) => raised("transcriber", unit)),
    version: 1
  }
}

describe("coverage", () => {
  it("counts as transcribed what has words and as a gap all other speech", { timeout: 600_000 }, () => {
    fc.assert(
      fc.property(fc.array(ending, { maxLength: 8 }), fc.nat({ max: 5 }), (endings: ReadonlyArray<Ending>, unchunked) => {
        const call = callOf(endings, unchunked)
        const { coverage, segments } = merge(call)
        const has = ({ how }: Ending) => how === "words" || how === "dead, then words"
        const speech = endings.reduce((sum, each) => sum + each.speech, 0)
        const words = endings.filter(has).reduce((sum, each) => sum + each.speech, 0)
        assert.strictEqual(coverage.speechSamples, at(speech + unchunked))
        assert.strictEqual(coverage.transcribedSamples, at(words))
        assert.isTrue(coverage.ratio >= 0 && coverage.ratio <= 1)
        assert.strictEqual(coverage.ratio === 1, coverage.transcribedSamples === coverage.speechSamples)
        const gaps = new Set(coverage.gaps.map(({ unit }) => unit))
        for (const [index, each] of endings.entries()) {
          if (has(each)) assert.isFalse(gaps.has(index + 1), "what has words is no gap")
          else if (each.speech > 0) assert.isTrue(gaps.has(index + 1), `speech that ended as ${each.how} is a gap`)
        }
        for (const [index, segment] of segments.entries()) assert.isAtLeast(segment.start, segments[index - 1]?.end ?? 0)
        const turned = {
          ...call,
          chunks: call.chunks.toReversed(),
          transcribed: call.transcribed.toReversed(),
          rejected: call.rejected.toReversed(),
          dead: call.dead.toReversed()
        }
        assert.deepStrictEqual(merge(turned), merge(call), "whatever order they ended in")
      }),
      { numRuns: runsOf(500) }
    )
  })
})
