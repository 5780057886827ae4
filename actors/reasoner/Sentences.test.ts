import { assert, describe, it } from "@effect/vitest"
import { cut, cutAtPause } from "./Sentences.ts"

const all = (text: string) => cut(text, { first: true, final: true }).sentences

/** The same text one character at a time must be cut at the same places. */
const typed = (text: string): ReadonlyArray<string> => {
  const sentences: Array<string> = []
  let left = ""
  const take = (final: boolean) => {
    const result = cut(left, { first: sentences.length === 0, final })
    sentences.push(...result.sentences)
    left = result.rest
  }
  for (const character of text) {
    left += character
    take(false)
  }
  take(true)
  return sentences
}

const CASES: ReadonlyArray<readonly [string, ReadonlyArray<string>]> = [
  ["Paris is the capital. It is big.", ["Paris is the capital.", "It is big."]],
  ["Dr. Smith met Mrs. Jones at 3.14 p.m. on Monday. They talked.", ["Dr. Smith met Mrs. Jones at 3.14 p.m. on Monday.", "They talked."]],
  ["Take fruit, e.g. apples, i.e. the red ones. Good.", ["Take fruit, e.g. apples, i.e. the red ones.", "Good."]],
  ["He lives in the U.S. Army base. She left the U.S. The end.", ["He lives in the U.S. Army base.", "She left the U.S.", "The end."]],
  ["J. K. Rowling wrote it. Really?!", ["J. K. Rowling wrote it.", "Really?!"]],
  ["Me and I. Then you.", ["Me and I.", "Then you."]],
  ["Well... maybe. Wait... No!", ["Well... maybe.", "Wait...", "No!"]],
  ['"Stop!" he said. "Why?" She left.', ['"Stop!" he said.', '"Why?"', "She left."]],
  ["First\n- one thing\n- another\n\nDone", ["First", "- one thing", "- another", "Done"]],
  ["1. Boil the egg.\n2. Eat it.", ["1. Boil the egg.", "2. Eat it."]],
  ["No. I do not. It costs 4. Pay it.", ["No.", "I do not.", "It costs 4.", "Pay it."]],
  ["今日は晴れです。散歩しましょう！「はい。」と言った。", ["今日は晴れです。", "散歩しましょう！", "「はい。」", "と言った。"]],
  ["Visit example.com or v1.2.3 today. Bye.", ["Visit example.com or v1.2.3 today.", "Bye."]],
  ["   ", []],
  ["", []],
  ["no end", ["no end"]],
  ["Apples, pears, etc. are fruit. Acme Inc. It grew.", ["Apples, pears, etc. are fruit.", "Acme Inc.", "It grew."]]
]

describe("sentences", () => {
  for (const [text, expected] of CASES) {
    it(JSON.stringify(text), () => {
      assert.deepStrictEqual(all(text), expected)
      assert.deepStrictEqual(typed(text), expected)
    })
  }

  it("waits for the character that decides", () => {
    assert.deepStrictEqual(cut("It is 3.", { first: true, final: false }), { sentences: [], rest: "It is 3." })
    assert.deepStrictEqual(cut("It is 3. ", { first: true, final: false }).sentences, [])
    assert.deepStrictEqual(cut("It is 3. S", { first: true, final: false }), { sentences: ["It is 3."], rest: " S" })
  })

  it("cuts the first sentence before a clause or after a comma; later ones are left whole", () => {
    const cases: ReadonlyArray<readonly [string, ReadonlyArray<string>]> = [
      ["The sky looks blue to us because the air scatters it. Yes.", ["The sky looks blue to us", "because the air scatters it.", "Yes."]],
      ["Paris is the capital of France, and it is large. So.", ["Paris is the capital of France,", "and it is large.", "So."]],
      ["Red and blue and green. Red, blue and green.", ["Red and blue and green.", "Red, blue and green."]],
      [
        "It costs about 1,000 dollars. That is a lot because it is old.",
        ["It costs about 1,000 dollars.", "That is a lot because it is old."]
      ]
    ]
    for (const [text, expected] of cases) {
      assert.deepStrictEqual(all(text), expected)
      assert.deepStrictEqual(typed(text), expected)
    }
  })

  it("cuts a long first sentence at a comma, a later one not", () => {
    const long =
      "When the long rain over the wide green hills had finally stopped, the children ran out into the wet garden, and they played until night."
    const first = "When the long rain over the wide green hills had finally stopped,"
    assert.strictEqual(all(long)[0], first)
    assert.strictEqual(typed(long)[0], first)
    assert.deepStrictEqual(cut(long, { first: false, final: true }).sentences, [long])
    assert.deepStrictEqual(all("One, two, three, four, five. Six."), ["One, two, three, four, five.", "Six."])
  })

  it("cuts a text without punctuation at a space", () => {
    const cuts = typed("word ".repeat(200))
    assert.isTrue(cuts.length > 1 && cuts.every((each) => each.length <= 400))
    assert.strictEqual(cuts.join(" "), "word ".repeat(200).trim())
  })

  it("loses no character but spaces", () => {
    for (const [text] of CASES) assert.strictEqual(typed(text).join("").replaceAll(/\s/g, ""), text.replaceAll(/\s/g, ""))
  })

  it("says what is there when the writer pauses, but for half a word", () => {
    assert.deepStrictEqual(cutAtPause("The capital of France is cal"), { sentences: ["The capital of France is"], rest: "cal" })
    assert.deepStrictEqual(cutAtPause("Paris."), { sentences: ["Paris."], rest: "" })
    assert.deepStrictEqual(cutAtPause("The"), { sentences: [], rest: "The" })
  })
})
