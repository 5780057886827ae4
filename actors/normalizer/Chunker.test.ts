import { assert, describe, it } from "@effect/vitest"
import { MARGIN, type Span, TAIL, wholeTurn } from "./Chunker.ts"
import { chunksIn, spansOf } from "./testkit/ChunkerLaws.ts"

const RATE = 16_000

/** A small generator (mulberry32): the same patterns in every run, named by their seed. */
const randomFrom = (seed: number) => {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}
type Random = ReturnType<typeof randomFrom>
const between = (random: Random, low: number, high: number) => Math.floor(low + random() * (high - low))

/** Talk of very different kinds: words, sentences, monologues without a breath, long silences. */
const pattern = (random: Random): { readonly total: number; readonly speech: ReadonlyArray<Span> } => {
  const speech: Array<Span> = []
  let at = random() < 0.2 ? 0 : between(random, 1, 4 * RATE)
  const talk = [0.4, 3, 12, 50][between(random, 0, 4)] ?? 3
  const pause = [0.15, 0.8, 3, 20][between(random, 0, 4)] ?? 0.8
  for (let count = between(random, 0, 14); count > 0; count--) {
    const end = at + between(random, 800, talk * 2 * RATE)
    speech.push({ start: at, end })
    at = end + between(random, 1, (random() < 0.1 ? 15 : 1) * pause * 2 * RATE)
  }
  const last = speech.at(-1)?.end ?? at
  return { total: random() < 0.2 ? last : Math.max(1, at), speech }
}

/** Value of the sample at a position, so that a chunk can be checked to hold the samples it names. */
const sampleAt = (position: number) => ((Math.imul(position, 0x9e3779b1) >>> 16) & 0xffff) - 0x8000

const chunksOf = (total: number, speech: ReadonlyArray<Span>, random: Random, longest: number, audio: Int16Array) =>
  chunksIn(total, speech, () => ({ length: between(random, 1, longest), lag: between(random, 0, 2 * RATE) }), audio)

/** R8 is in `Chunker.properties.test.ts`. */
describe("Chunker", () => {
  it("gives the same chunks however the input is cut into blocks, and the samples they name", { timeout: 60_000 }, () => {
    for (let seed = 1; seed <= 40; seed++) {
      const random = randomFrom(seed)
      const { total, speech } = pattern(random)
      const audio = new Int16Array(total).map((_, position) => sampleAt(position))
      const fine = chunksOf(total, speech, random, RATE / 2, audio)
      const coarse = chunksOf(total, speech, random, 60 * RATE, audio)
      const whole = chunksOf(total, speech, random, total + 1, audio)
      assert.deepStrictEqual(spansOf(coarse), spansOf(fine), `pattern ${seed}`)
      assert.deepStrictEqual(spansOf(whole), spansOf(fine), `pattern ${seed}`)
      for (const { start, end, samples } of fine) {
        assert.strictEqual(samples.length, end - start)
        for (const position of [start, Math.floor((start + end) / 2), end - 1]) {
          if (samples[position - start] !== sampleAt(position)) assert.fail(`pattern ${seed}: sample ${position} is another`)
        }
      }
    }
  })

  const seconds = (value: number) => Math.round(value * RATE)
  const cut = (total: number, spans: ReadonlyArray<readonly [number, number]>, audio = new Int16Array(seconds(total))) =>
    chunksOf(
      seconds(total),
      spans.map(([start, end]) => ({ start: seconds(start), end: seconds(end) })),
      randomFrom(1),
      RATE,
      audio
    ).map(({ start, end }) => [start / RATE, end / RATE])

  it("makes no chunk of silence", () => {
    assert.deepStrictEqual(cut(3600, []), [])
  })

  it("keeps 300 ms around speech and leaves long silence out", () => {
    assert.deepStrictEqual(
      cut(60, [
        [5, 9],
        [40, 41]
      ]),
      [
        [4.7, 9.3],
        [39.7, 41.3]
      ]
    )
  })

  it("keeps pauses of a conversation inside a chunk", () => {
    assert.deepStrictEqual(
      cut(20, [
        [1, 4],
        [7, 9],
        [12, 15]
      ]),
      [[0.7, 15.3]]
    )
  })

  it("cuts speech that goes on in the longest pause between 20 and 28 s", () => {
    assert.deepStrictEqual(
      cut(50, [
        [0, 19],
        [19.9, 22],
        [22.4, 26],
        [26.2, 40]
      ]),
      [
        [0, 22.2],
        [22.2, 40.3]
      ]
    )
  })

  it("cuts speech without a pause where it is quietest", () => {
    const audio = new Int16Array(seconds(45)).fill(1000)
    audio.fill(10, seconds(24), seconds(24.1))
    assert.deepStrictEqual(cut(45, [[0, 45]], audio), [
      [0, 24.05],
      [24.05, 45]
    ])
  })

  it("takes a turn whole, and silence too, so that it is answered", () => {
    const turn = wholeTurn(new Int16Array(seconds(50)), [
      { start: seconds(1), end: seconds(20) },
      { start: seconds(30), end: seconds(40) }
    ])
    assert.deepStrictEqual([turn.start, turn.end], [seconds(1) - MARGIN, seconds(40) + MARGIN])
    assert.strictEqual(wholeTurn(new Int16Array(seconds(50)), [{ start: seconds(1), end: seconds(40) }], TAIL).end, seconds(40) + TAIL)
    const silent = wholeTurn(new Int16Array(seconds(2)), [])
    assert.deepStrictEqual([silent.start, silent.end, silent.speech.length], [0, seconds(2), 0])
  })
})
