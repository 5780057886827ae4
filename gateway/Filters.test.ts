/** Filters of clients against the filters that the streams accept. */
import { assert, describe, it } from "@effect/vitest"
import { covers, intersect, planOf } from "./Filters.ts"

describe("Filters", () => {
  it("intersects two filters", () => {
    const table: ReadonlyArray<readonly [string, string, string | undefined]> = [
      ["text.>", "text.*.call.>", "text.*.call.>"],
      ["*.transcribed.call.A.>", "text.*.call.>", "text.transcribed.call.A.>"],
      [">", "health.*.host.>", "health.*.host.>"],
      ["text.transcribed", "text.*.call.>", undefined],
      ["text.*.call", "text.*.call.>", undefined],
      ["reply.>", "text.*.call.>", undefined],
      ["a.*", "*.b", "a.b"]
    ]
    for (const [left, right, both] of table) {
      assert.strictEqual(intersect(left, right), both)
      assert.strictEqual(intersect(right, left), both)
    }
  })

  it("matches subjects", () => {
    assert.isTrue(covers("text.>", "text.transcribed.call.A.000001"))
    assert.isFalse(covers("text.*", "text.transcribed.call"))
    assert.isFalse(covers("text.>", "text"))
  })

  it("plans which streams to read, each subject once", () => {
    assert.deepStrictEqual(planOf(["text.>", "text.transcribed.>", "text.>"]), [
      { stream: "CALLS", filters: ["text.*.call.>"] },
      { stream: "ASSISTANT", filters: ["text.*.assistant.>"] }
    ])
    assert.deepStrictEqual(planOf(["call.detected.host.>"]), [{ stream: "HOST", filters: ["call.detected.host.>"] }])
    assert.deepStrictEqual(planOf(["frames.>", "blobs.call.>", "nonsense"]), [])
  })

  it("widens filters that overlap in part to the subjects of the stream", () => {
    assert.deepStrictEqual(planOf(["text.transcribed.call.*.*", "text.*.call.A.*", "reply.ready.call.>"]), [
      { stream: "CALLS", filters: ["text.*.call.>", "reply.*.call.>"] }
    ])
  })
})
