import { assert, describe, it } from "@effect/vitest"
import { cut, LONGEST } from "./Cut.ts"
import { LINE_LENGTH, LINES, wrapLines } from "./Lines.ts"
import { at, segmentOf, wordsOf } from "./Specimen.ts"

const CITIES =
  "It was the best of times, it was the worst of times, it was the age of wisdom, it was the age of foolishness, it was the epoch of belief. " +
  "It was the epoch of incredulity. It was the season of Light! It was the season of Darkness, it was the spring of hope, it was the winter of despair."

const texts = (text: string, start: number, end: number) => cut(segmentOf(text, start, end), at(start), at(end)).map((piece) => piece.text)

describe("cut", () => {
  it("makes subtitles of a whole chunk and loses no word", () => {
    const pieces = cut(segmentOf(CITIES, 10, 38), at(10), at(38))
    assert.isAbove(pieces.length, 4)
    assert.strictEqual(pieces.map(({ text }) => text).join(" "), CITIES)
    assert.strictEqual(pieces.flatMap(({ words }) => words).length, CITIES.split(" ").length)
    for (const [index, piece] of pieces.entries()) {
      assert.isAtMost(piece.end - piece.start, LONGEST)
      assert.isAtMost(wrapLines(piece.text).length, LINES)
      for (const line of wrapLines(piece.text)) assert.isAtMost(line.length, LINE_LENGTH)
      assert.isAtLeast(piece.start, pieces[index - 1]?.end ?? at(10))
      assert.isAbove(piece.end, piece.start)
    }
    assert.isTrue(
      pieces.some(({ text }) => text.endsWith("belief.")),
      "a sentence ends a subtitle"
    )
  })

  it("leaves a short segment as it is, and keeps short sentences together", () => {
    assert.deepStrictEqual(texts("Good morning, how can I help?", 0, 2), ["Good morning, how can I help?"])
    assert.deepStrictEqual(texts("Yes. I know Mr. Smith. He called me yesterday.", 0, 4), [
      "Yes. I know Mr. Smith.",
      "He called me yesterday."
    ])
  })

  it("cuts at a pause", () => {
    const words = [...wordsOf("one two", 0, 1), ...wordsOf("three four", 3, 4)]
    const pieces = cut(segmentOf("one two three four", 0, 4, words), 0, at(4))
    assert.deepStrictEqual(
      pieces.map(({ text, start, end }) => [text, start, end]),
      [
        ["one two", 0, at(1)],
        ["three four", at(3), at(4)]
      ]
    )
  })

  it("takes spaces and punctuation from the text, whether words bring theirs or not", () => {
    const bare = wordsOf("she said stop now", 0, 2).map((word) => ({ ...word, word: word.word.trim() }))
    const segment = { ...segmentOf("", 0, 2, bare), text: 'She said: "stop now"' }
    // "She" is not "she": the words are joined as they are.
    assert.deepStrictEqual(
      cut(segment, 0, at(2)).map(({ text }) => text),
      ["she said stop now"]
    )
    const same = { ...segment, text: 'she said: "stop now"' }
    assert.deepStrictEqual(
      cut(same, 0, at(2)).map(({ text }) => text),
      ['she said: "stop now"']
    )
    const parts = [" can", "'t", " go", " on-", "line"].map((word, index) => ({
      word,
      start: at(index),
      end: at(index + 1),
      probability: 1
    }))
    assert.deepStrictEqual(
      cut({ ...segment, text: "?", words: parts }, 0, at(5)).map(({ text }) => text),
      ["can't go on-line"]
    )
  })

  it("joins scripts that have no spaces without any", () => {
    const words = ["今日", "は", "いい", "天気", "です", "。"].map((word, index) => ({
      word,
      start: at(index),
      end: at(index + 1),
      probability: 1
    }))
    assert.deepStrictEqual(
      cut({ ...segmentOf("", 0, 6, words), text: "今日はいい天気です。" }, 0, at(6)).map(({ text }) => text),
      ["今日はいい天気です。"]
    )
    assert.deepStrictEqual(
      cut({ ...segmentOf("", 0, 6, words), text: "" }, 0, at(6)).map(({ text }) => text),
      ["今日はいい天気です。"]
    )
  })

  it("forces times that run backwards or out of the chunk into it", () => {
    const words = [
      { word: " a", start: at(-1), end: at(2), probability: 1 },
      { word: " b", start: at(1), end: at(3), probability: 1 },
      { word: " c", start: at(9), end: at(8), probability: 1 }
    ]
    const pieces = cut(segmentOf("a b c", 0, 5, words), at(0.5), at(5))
    const all = pieces.flatMap((piece) => piece.words.flatMap(({ start, end }) => [start, end]))
    assert.deepStrictEqual(
      all,
      all.toSorted((a, b) => a - b)
    )
    assert.isAtLeast(all[0] ?? -1, at(0.5))
    assert.isAtMost(all.at(-1) ?? Infinity, at(5))
  })

  it("shares the time out where there are no words, and gives nothing for blank text", () => {
    const pieces = cut(segmentOf(CITIES, 0, 28, []), 0, at(28))
    assert.strictEqual(pieces.map(({ text }) => text).join(" "), CITIES)
    assert.isTrue(pieces.every(({ start, end, words }) => end > start && words.length === 0))
    assert.deepStrictEqual(cut(segmentOf("  ", 0, 1, []), 0, at(1)), [])
    assert.deepStrictEqual(cut({ ...segmentOf("", 0, 1, []), words: [{ word: " ", start: 0, end: 1, probability: 1 }] }, 0, at(1)), [])
  })

  it("keeps a single word that drags on to seven seconds", () => {
    const [piece] = cut(segmentOf("Sooo", 0, 20), 0, at(20))
    assert.strictEqual(piece?.end, LONGEST)
    assert.strictEqual(piece?.words[0]?.end, LONGEST)
  })
})
