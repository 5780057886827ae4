/** What the log says of itself, as numbers. */
import { assert, describe, it } from "@effect/vitest"
import type { Event } from "../../contract/Events.ts"
import type { Logged } from "../../kernel/Actor.ts"
import { makeLogMetrics } from "./LogMetrics.ts"
import { makeRegistry } from "./Registry.ts"
import { makeTotals } from "./Totals.ts"

const base = { v: 1, mode: "call", session: "01JDABCDEFGHJKMNPQRSTVWXYZ" } as const

const entry = (event: Event, sequence: number, time: number, cause = ""): Logged => ({
  event,
  subject: "",
  stream: "CALLS",
  sequence,
  time,
  actor: "transcriber",
  cause
})

describe("metrics of the log", () => {
  it("count failures and rejections, and time a stage from its cause", () => {
    const registry = makeRegistry()
    const count = makeLogMetrics(registry)
    const rejected: Event = {
      _tag: "text.rejected",
      ...base,
      start: 0,
      end: 32_000,
      engine: "e",
      model: "m",
      modelSha256: "",
      computeMs: 100,
      threads: 1,
      unit: 1,
      reason: "silence",
      text: "not to be seen"
    }
    const raised: Event = {
      _tag: "error.raised",
      ...base,
      actor: "normalizer",
      code: "audio.unreadable",
      message: "not to be seen",
      recoverable: false,
      cause: "CALLS:1",
      subject: "audio.captured",
      attempts: 1
    }
    count(entry({ _tag: "session.closed", ...base, reason: "complete", captured: 1 }, 1, 1_000))
    count(entry(rejected, 2, 1_300, "CALLS:1"))
    count(entry(raised, 3, 1_400, "CALLS:99"))
    const text = registry.text()
    assert.include(text, 'voxbus_rejected_total{reason="silence"} 1')
    assert.include(text, 'voxbus_errors_total{actor="normalizer",code="audio.unreadable"} 1')
    assert.include(text, 'voxbus_calls_total{outcome="failed"} 1')
    assert.match(text, /voxbus_stage_seconds_sum\{.*event="text.rejected".*\} 0\.3/)
    assert.match(text, /voxbus_engine_audio_seconds_total\{.*\} 2$/m)
    assert.notInclude(text, "not to be seen")
  })

  it("bound the series that a log full of odd names can make", () => {
    const registry = makeRegistry()
    for (let n = 0; n < 1_000; n += 1) registry.count("voxbus_x_total", "x", { name: `n${n}` })
    assert.strictEqual(registry.text().match(/^voxbus_x_total\{/gm)?.length, 200)
  })

  it("add up the processes of an actor, and never fall when one is replaced", () => {
    const totals = makeTotals()
    const say = (instance: string, handled: number) =>
      totals.take({ actor: "speaker", instance, counts: { handled, failed: 0, retried: 0, dead: 0 } })
    say("a", 3)
    say("a", 5)
    say("b", 1)
    assert.strictEqual(totals.byActor().get("speaker")?.handled, 6)
    for (let n = 0; n < 600; n += 1) say(`c${n}`, 1)
    assert.strictEqual(totals.byActor().get("speaker")?.handled, 606)
  })
})
