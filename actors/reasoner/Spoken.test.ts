import { assert, describe, it } from "@effect/vitest"
import { rest, reveal, visible } from "./Hidden.ts"
import { spoken } from "./Spoken.ts"

const heard = (pieces: Iterable<string>): string => {
  let state = visible
  let text = ""
  for (const piece of pieces) {
    const [next, more] = reveal(state, piece)
    state = next
    text += more
  }
  return text + rest(state)
}

describe("spoken text", () => {
  const cases: ReadonlyArray<readonly [string, string]> = [
    ["**Bold** and *italic* and `code`", "Bold and italic and code"],
    ["# Title", "Title"],
    ["- item", "item"],
    ["2. second", "second"],
    ["Hello 👋🏽 there 🇫🇷!", "Hello there!"],
    ["See [the page](https://example.com/a?b=c).", "See the page."],
    ["Go to https://www.example.com/long/path now", "Go to example.com now"],
    ["snake_case and _emphasis_ here", "snake_case and emphasis here"],
    ["3 - 1 is 2, © Acme", "3 - 1 is 2, © Acme"],
    ["...", ""],
    ["👍", ""],
    ["***", ""],
    ["", ""]
  ]
  for (const [text, expected] of cases) it(JSON.stringify(text), () => assert.strictEqual(spoken(text), expected))
})

describe("hidden text", () => {
  const cases: ReadonlyArray<readonly [string, string]> = [
    ["<think>Is it a < b?</think>Yes.", "Yes."],
    ["Run this: ```js\nx()\n``` Done.", "Run this:  Done."],
    ["a < b and `x` and <b>", "a < b and `x` and <b>"],
    ["ends with <thi", "ends with <thi"],
    ["<think>never closed", ""]
  ]
  for (const [text, expected] of cases) {
    it(JSON.stringify(text), () => {
      assert.strictEqual(heard([text]), expected)
      assert.strictEqual(heard(text), expected)
    })
  }
})
