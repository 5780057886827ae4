import { assert, describe, it } from "@effect/vitest"
import { countChanges, renderChanges, wordDiff } from "./WordDiff.ts"

describe("WordDiff", () => {
  it("names the words that changed, and ignores white space", () => {
    const changes = wordDiff("the old  printer\nis broken", "the new printer is broken again")
    assert.deepStrictEqual(changes, [
      { kind: "same", text: "the" },
      { kind: "removed", text: "old" },
      { kind: "added", text: "new" },
      { kind: "same", text: "printer is broken" },
      { kind: "added", text: "again" }
    ])
    assert.deepStrictEqual(countChanges(changes), { same: 4, added: 2, removed: 1 })
    assert.strictEqual(renderChanges(changes, false), "the [-old-] {+new+} printer is broken {+again+}")
    assert.include(renderChanges(changes, true), "\u001b[32mnew\u001b[0m")
  })

  it("finds nothing between equals and everything between strangers", () => {
    assert.deepStrictEqual(countChanges(wordDiff("a b c", " a b\tc ")), { same: 3, added: 0, removed: 0 })
    assert.deepStrictEqual(countChanges(wordDiff("", "one two")), { same: 0, added: 2, removed: 0 })
    assert.deepStrictEqual(wordDiff("", ""), [])
  })

  it("shortens what did not change", () => {
    const long = Array.from({ length: 100 }, (_, n) => `w${n}`).join(" ")
    const text = renderChanges(wordDiff(`${long} a ${long}`, `${long} b ${long}`), false)
    assert.strictEqual(text, "... w94 w95 w96 w97 w98 w99 [-a-] {+b+} w0 w1 w2 w3 w4 w5 ...")
  })

  it("compares an hour of speech in a moment", () => {
    const words = Array.from({ length: 9_000 }, (_, n) => `w${(n * 7919) % 1500}`)
    const other = words.map((word, n) => (n % 40 === 0 ? `x${n}` : word))
    const started = performance.now()
    assert.strictEqual(countChanges(wordDiff(words.join(" "), other.join(" "))).removed, 225)
    assert.isBelow(performance.now() - started, 3_000)
  })
})
