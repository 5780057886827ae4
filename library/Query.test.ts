import { assert, describe, it } from "@effect/vitest"
import { isEmpty, parseQuery } from "./Query.ts"

describe("a query", () => {
  it("knows words, phrases, prefixes, negation and filters", () => {
    assert.deepStrictEqual(parseQuery('printer "second floor" tech* -paper speaker:"Ann B" ticket:T-42 title:desk after:2026-11-01'), {
      match: '("printer" AND "second floor" AND "tech*"*) NOT ("paper")',
      speakers: ["Ann B"],
      tickets: ["T-42"],
      titles: ["desk"],
      after: "2026-11-01"
    })
    assert.strictEqual(parseQuery("x:y").match, '"x:y"')
    assert.strictEqual(parseQuery('say "half a phrase').match, '"say" AND "half a phrase"')
    assert.strictEqual(parseQuery("after:yesterday").match, '"after:yesterday"')
  })

  it("is empty when there is nothing to look for", () => {
    for (const text of ["", " ", '"', "-", "*", '"" ()']) assert.isTrue(isEmpty(parseQuery(text)), text)
    for (const text of ["a", "ticket:x", "before:2026-01-01", "é"]) assert.isFalse(isEmpty(parseQuery(text)), text)
  })
})
