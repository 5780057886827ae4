import { assert, describe, it } from "@effect/vitest"
import type { SessionSummary } from "../contract/SessionCommands.ts"
import { expired, hasRules } from "./Retention.ts"

const NOW = Date.parse("2026-11-24T12:00:00Z")
const call = (day: number, more: Partial<SessionSummary> = {}): SessionSummary => ({
  session: `01JDABCDEFGHJKMNPQRSTVWX${String(day).padStart(2, "0")}`,
  mode: "call",
  title: "",
  startedAt: `2026-11-${String(day).padStart(2, "0")}T12:00:00Z`,
  durationSeconds: 1,
  state: "completed",
  language: "en",
  folder: "",
  bundle: "",
  bytes: 1e9,
  pinned: false,
  ...more
})
const CALLS = [call(10), call(20), call(22), call(23)]
const gone = (rules: Partial<Parameters<typeof expired>[1]>, calls = CALLS) =>
  expired(calls, { days: 0, calls: 0, gigabytes: 0, ...rules }, NOW).map(({ session, rule }) => `${session.startedAt.slice(8, 10)} ${rule}`)

describe("retention", () => {
  it("keeps everything without a rule", () => {
    assert.isFalse(hasRules({ days: 0, calls: 0, gigabytes: 0 }))
    assert.deepStrictEqual(gone({}), [])
  })
  it("lets the oldest go by age, by count and by size", () => {
    assert.deepStrictEqual(gone({ days: 3 }), ["10 age", "20 age"])
    assert.deepStrictEqual(gone({ days: 4 }), ["10 age"])
    assert.deepStrictEqual(gone({ calls: 1 }), ["10 count", "20 count", "22 count"])
    assert.deepStrictEqual(gone({ gigabytes: 2.5 }), ["10 size", "20 size"])
    assert.deepStrictEqual(gone({ days: 5, calls: 2 }), ["10 age", "20 count"])
  })
  it("leaves pinned calls, conversations and calls in work alone", () => {
    const others = [
      call(1, { pinned: true }),
      call(2, { mode: "assistant" }),
      call(3, { state: "transcribing" }),
      call(4, { state: "failed" })
    ]
    assert.deepStrictEqual(gone({ days: 1 }, others), ["04 age"])
  })
})
