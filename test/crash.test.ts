/** A short crash matrix from a seed, and the proof that it can fail: a runtime that is broken on purpose must be found. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { rmSync } from "node:fs"
import { type Options, type Report, runCrash } from "./crash/Run.ts"

const crash = async (options: Options): Promise<Report> => {
  const report = await Effect.runPromise(runCrash(options))
  console.info(JSON.stringify({ ...report.result, seconds: Math.round(report.seconds) }))
  if (report.folder !== "") rmSync(report.folder, { recursive: true, force: true, maxRetries: 5 })
  return report
}

describe("the crash matrix", () => {
  it("loses, doubles and reorders nothing", async () => {
    const { result, faults, sessions } = await crash({ seed: 1, kills: 14, serverKills: 1 })
    assert.deepStrictEqual(faults, [])
    assert.deepInclude(result, { lost: 0, duplicated: 0, reordered: 0, serverKills: 1 })
    assert.isAtLeast(result.kills, 14)
    assert.isAbove(result.events, sessions * 8)
  })

  it("finds a runtime that acknowledges before the work: things are lost", async () => {
    const { result } = await crash({ seed: 2, kills: 8, serverKills: 0, sabotage: "ack-first", patienceMs: 4_000 })
    assert.isAbove(result.lost, 0)
  })

  it("finds a runtime without message ids: things are there twice", async () => {
    const { result } = await crash({ seed: 3, kills: 8, serverKills: 0, sabotage: "no-ids", patienceMs: 4_000 })
    assert.isAbove(result.duplicated, 0)
  })
})
