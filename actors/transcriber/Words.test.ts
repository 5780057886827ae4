import { assert, describe, it } from "@effect/vitest"
import type { Word } from "../../contract/Events.ts"
import { compressionRatio, loopShare, segmentsOf, snap, textOf, withoutMarkers } from "./Words.ts"

/** Words of 0.3 s, one every 0.4 s; each keeps its space. */
const timed = (text: string): ReadonlyArray<Word> =>
  (text.match(/\s*\S+/g) ?? []).map((word, i) => ({ start: i * 6_400, end: i * 6_400 + 4_800, word, probability: 0.9 }))
const facts = { avgLogprob: -0.2, noSpeechProbability: 0.1, compressionRatio: 1.2, temperature: 0 }
const lines = (words: ReadonlyArray<Word>) => segmentsOf(words, facts).map((segment) => segment.text)

describe("withoutMarkers", () => {
  const cases: ReadonlyArray<readonly [string, string]> = [
    [" [BLANK_AUDIO]", ""],
    [" Hello there. [BLANK_AUDIO]", "Hello there."],
    [" (upbeat music) Hello (laughs) you", "Hello you"],
    [" *sighs* Fine.", "Fine."],
    [" ♪ la la la ♪ Hello", "Hello"],
    [" ♪", ""],
    [" [Music", ""],
    [" <|nospeech|>", ""],
    [" ...", ""],
    [" Call (555) 123 now", "Call (555) 123 now"],
    [" 5 * 3 * 2 is 30", "5 3 2 is 30"],
    [" Yes.", "Yes."]
  ]
  for (const [said, kept] of cases) {
    it(`${said.trim()} -> ${kept === "" ? "nothing" : kept}`, () => assert.strictEqual(textOf(withoutMarkers(timed(said))), kept))
  }

  it("keeps the times of the words that stay", () => {
    const words = timed(" (upbeat music) Hello")
    assert.deepStrictEqual(withoutMarkers(words), words.slice(2))
  })
})

describe("snap", () => {
  const word = (start: number, end: number) => ({ start, end, word: " a", probability: 1 })
  const span = { start: 16_000, end: 32_000 }
  it("draws a word that begins in the silence before to the speech", () => {
    assert.deepStrictEqual(snap([word(0, 20_000)], [span]), [word(14_400, 20_000)])
  })
  it("and one that ends in the silence after", () => {
    assert.deepStrictEqual(snap([word(30_000, 60_000)], [span]), [word(30_000, 33_600)])
  })
  it("leaves a word alone that touches no speech", () => {
    assert.deepStrictEqual(snap([word(50_000, 52_000)], [span]), [word(50_000, 52_000)])
  })
  it("keeps order where words overlap", () => {
    const [first, second] = snap([word(16_000, 24_000), word(20_000, 22_000)], [span])
    assert.isTrue(first !== undefined && second !== undefined && first.end <= second.start && second.start <= second.end)
  })
})

describe("segmentsOf", () => {
  it("cuts after sentences, and not after abbreviations or numbers", () => {
    assert.deepStrictEqual(lines(timed(" It is 3.5 percent. Mr. Smith said no. Why? Because.")), [
      "It is 3.5 percent.",
      "Mr. Smith said no.",
      "Why?",
      "Because."
    ])
  })
  it("cuts at a pause", () => {
    const words = timed(" one two three four")
    const later = words.map((word, i) => (i < 2 ? word : { ...word, start: word.start + 16_000, end: word.end + 16_000 }))
    assert.deepStrictEqual(lines(later), ["one two", "three four"])
  })
  it("cuts a long sentence at a comma, 10 s after its beginning at the earliest", () => {
    const segments = segmentsOf(timed(" we had everything before us,".repeat(12)), facts)
    assert.isAbove(segments.length, 1)
    for (const segment of segments.slice(0, -1)) assert.isAtLeast(segment.end - segment.start, 160_000)
  })
  it("loses no word and takes the times of its words", () => {
    const words = timed(" First. Second one. Third.")
    const segments = segmentsOf(words, facts)
    assert.deepStrictEqual(
      segments.flatMap((segment) => segment.words.map((word) => word.word)),
      ["First.", "Second", "one.", "Third."]
    )
    assert.strictEqual(segments[1]?.start, words[1]?.start)
    assert.strictEqual(segments[1]?.end, words[2]?.end)
  })
  it("joins text without spaces as it was written", () => {
    const words = ["今日", "は", "。", "明日"].map((word, i) => ({ start: i * 100, end: i * 100 + 50, word, probability: 1 }))
    assert.deepStrictEqual(lines(words), ["今日は。", "明日"])
  })
})

describe("repetition", () => {
  const orator =
    "it was the best of times it was the worst of times it was the age of wisdom it was the age of foolishness it was the epoch of belief it was the epoch of incredulity it was the season of light it was the season of darkness"
  it("a stuck decoder loops, an orator does not", () => {
    assert.isAbove(
      loopShare(
        "I am going to the store and"
          .repeat(1)
          .split(" ")
          .concat(..."thank you so much ".repeat(8).trim().split(" "))
      ),
      0.5
    )
    assert.strictEqual(loopShare(orator.split(" ")), 0)
  })
  it("an emphatic speaker does not either", () => assert.strictEqual(loopShare("no no no no please stop it now".split(" ")), 0))
  it("compression ratio rises with repetition and is 0 for nothing", () => {
    assert.strictEqual(compressionRatio(""), 0)
    assert.isBelow(compressionRatio("The quick brown fox jumps over the lazy dog."), 1.2)
    assert.isAbove(compressionRatio("thank you so much ".repeat(20)), 5)
  })
})
