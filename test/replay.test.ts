/** R6: what was just recorded is replayed by the same program to the byte; another model makes a version and a diff. */
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import { ReplaySession, RetranscribeSession, ShowSession } from "../contract/HistoryCommands.ts"
import { type BusOf, busOf, until } from "./support/bus.ts"
import { type Running, startProgram, TESTKIT_ENGINES } from "./support/program.ts"
import { toneFile } from "./support/tones.ts"

let voxbus: Running
let bus: BusOf

beforeAll(async () => {
  voxbus = await startProgram(TESTKIT_ENGINES)
  bus = await busOf(voxbus)
}, 60_000)

afterAll(async () => {
  await bus.close()
  await voxbus.stop()
})

describe("a replay with fixed engines", () => {
  it("of a call and of its further version has the same bytes, and leaves no trace", async () => {
    const file = toneFile([
      [0.5, 26],
      [28, 44]
    ])
    const [{ session }] = (await voxbus.run("transcribe", file, "--json")).json
    await bus.ask(RetranscribeSession, { session, model: "other" })
    await until(async () => (await bus.events(`bundle.ready.call.${session}.000002`))[0])
    const { events } = await bus.ask(ShowSession, { session })
    const report = await bus.ask(ReplaySession, { session })
    assert.deepStrictEqual(report.differences, [])
    assert.isTrue(report.identical)
    // The language, two chunks and their count, the chunks again for version 2, four texts, two transcripts.
    assert.deepInclude(report.events, { recorded: 12, replayed: 12, identical: 12, upgraded: 0 })
    assert.strictEqual((await bus.ask(ShowSession, { session })).events, events)
    // Another model is another event: the comparison can fail.
    const other = await bus.ask(ReplaySession, { session, model: "third" })
    assert.isFalse(other.equivalent)
  })

  it("of a turn has the same bytes, through the command line", async () => {
    const [{ session }] = (await voxbus.run("ask", toneFile([[0.2, 1.6]]), "--json")).json
    const { code, json, stderr } = await voxbus.run("replay", session, "--json")
    assert.strictEqual(code, 0, stderr)
    assert.isTrue(json[0].identical)
    assert.deepStrictEqual(
      json[0].texts.map(({ what }: any) => what),
      ["question", "reply"]
    )
  })

  it("of a session that is not there says so", async () => {
    const { code, stderr } = await voxbus.run("show", "01JD0000000000000000000000", "--json")
    assert.strictEqual(code, 3)
    assert.include(stderr, "session.unknown")
  })
})
