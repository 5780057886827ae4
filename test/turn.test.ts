/** Turns through the real program: spoken and typed questions, what is kept of them, and what the log says of time. */
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import { readFileSync, statSync } from "node:fs"
import { join } from "node:path"
import { wordErrorRate } from "../kernel/testkit/WordErrors.ts"
import { freshHome, type Running, startProgram } from "./support/program.ts"
import { silenceFile, speechFile } from "./support/speech.ts"

const QUESTION = "What is the capital city of France?"

let voxbus: Running

beforeAll(async () => {
  voxbus = await startProgram({ VOXBUS_LOG_LEVEL: "debug" })
}, 120_000)

afterAll(async () => {
  await voxbus.stop()
})

describe("a turn", () => {
  it("answers a spoken question with a spoken answer, and its stages from the log", async () => {
    const output = join(voxbus.home, "answer.wav")
    const { code, json, stderr } = await voxbus.run("ask", await speechFile([QUESTION]), "-o", output, "--json")
    assert.strictEqual(code, 0, stderr)
    const [turn] = json
    assert.isAtMost(wordErrorRate(QUESTION, turn.transcript), 0.15, turn.transcript)
    assert.match(turn.reply, /paris/i)
    assert.strictEqual(turn.audio, output)
    assert.strictEqual(readFileSync(output).subarray(0, 4).toString("latin1"), "RIFF")
    assert.isAbove(statSync(output).size, 22_050, "at least half a second of speech")
    const { speechToText, firstToken, firstSentence, firstAudio, total } = turn.latencyMs
    assert.isAbove(speechToText, 0)
    const stages = [speechToText, firstToken, firstSentence, firstAudio, total]
    assert.deepStrictEqual(
      stages,
      stages.toSorted((a, b) => a - b),
      "each stage comes after the one before"
    )
  })

  it("answers a typed question", async () => {
    const { code, json, stderr } = await voxbus.run("ask", "--text", QUESTION, "--json")
    assert.strictEqual(code, 0, stderr)
    assert.match(json[0].reply, /paris/i)
    assert.strictEqual(json[0].latencyMs.speechToText, 0)
  })

  it("says so when there was nothing to hear", async () => {
    const { code, json, stderr } = await voxbus.run("ask", await silenceFile(2), "--json")
    assert.strictEqual(code, 0, stderr)
    assert.strictEqual(json[0].rejected, "silence")
    assert.strictEqual(json[0].reply, "")
    assert.strictEqual(json[0].audio, "")
  })

  it("wants exactly one question", async () => {
    const none = await voxbus.run("ask", "--json")
    assert.strictEqual(none.code, 2)
    assert.include(none.stderr, "command.usage")
  })

  it("leaves no word of it in the log of the program", async () => {
    const log = voxbus.log()
    assert.isAbove(log.split("\n").length, 10, "there is a log")
    assert.notMatch(log, /paris|france|capital/i)
  })

  it("tells how it is on /health", async () => {
    const health: any = await (await fetch(`${voxbus.gateway}/health`)).json()
    assert.strictEqual(health.status, "ok", JSON.stringify(health))
    assert.sameMembers(
      health.actors.filter((each: any) => each.status === "ready").map((each: any) => each.actor),
      ["capture", "normalizer", "transcriber", "reasoner", "speaker", "bundler", "spotter", "diarizer"]
    )
  })

  it("refuses a second instance on the same home", async () => {
    const second = await voxbus.run("start", "--port", "0")
    assert.strictEqual(second.code, 4)
    assert.include(second.stderr, "instance.running")
  })

  it("refuses a port that is taken, and names the fix", async () => {
    const port = new URL(voxbus.gateway).port
    const other = freshHome()
    const { code, stderr } = await other.run("start", "--port", port)
    other.remove()
    assert.strictEqual(code, 4)
    assert.include(stderr, "instance.port_taken")
    assert.include(stderr, "--port")
  })
})
