import { assert, describe, it } from "@effect/vitest"
import { piecesOf } from "./words.ts"

const word = (text: string, start: number) => ({ word: text, start, end: start + 1 })

describe("the words of a segment", () => {
  it("keep what is between them, and put together they are the text again", () => {
    const text = "Good morning, this is it."
    const pieces = piecesOf(text, [word(" Good", 0), word(" morning,", 1), word(" is", 3), word(" it.", 4)])
    assert.strictEqual(pieces.map((piece) => piece.text).join(""), text)
    assert.deepStrictEqual(
      pieces.filter(({ start }) => start !== undefined).map((piece) => piece.text),
      ["Good", "morning,", "is", "it."]
    )
  })

  it("need no spaces, and a word that is not in the text is left out", () => {
    const pieces = piecesOf("东京都", [word("东京", 0), word("x", 1), word("都", 2)])
    assert.deepStrictEqual(
      pieces.map(({ text, start }) => [text, start]),
      [
        ["东京", 0],
        ["都", 2]
      ]
    )
  })

  it("are one piece where an edited text has none", () => {
    assert.deepStrictEqual(piecesOf("By hand", []), [{ text: "By hand" }])
  })
})
