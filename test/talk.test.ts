/**
 * Push to talk on the machine itself: a microphone and a loudspeaker of PulseAudio that exist in memory only. Runs where
 * `pulseaudio`, `pacat` and `parec` are installed.
 */
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { type ChildProcess, execFile, spawn, spawnSync } from "node:child_process"
import { once } from "node:events"
import { existsSync, mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { setTimeout as sleep } from "node:timers/promises"
import { homeToken } from "../kernel/Tokens.ts"
import { ATTENTIVE_ENGINES, type Running, startProgram } from "./support/program.ts"
import { speechFile } from "./support/speech.ts"

const there = ["pulseaudio", "pacat", "parec", "paplay"].every((program) => spawnSync("which", [program]).status === 0)

let folder: string
let server: ChildProcess
let voxbus: Running
let token: string

const until = async (holds: () => boolean | Promise<boolean>) => {
  for (let i = 0; i < 300 && !(await holds()); i++) await sleep(50)
}
const ask = async (method: "GET" | "POST", path: string, body?: object): Promise<any> => {
  const response = await fetch(`${voxbus.gateway}/api${path}`, {
    method,
    headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
    ...(body === undefined ? {} : { body: JSON.stringify(body) })
  })
  return { status: response.status, ...((await response.json()) as object) }
}
/** Somebody speaks into the microphone. */
const say = (path: string) =>
  new Promise<void>((resolve) => {
    execFile("paplay", ["--device=mic", path], { env: voxbus.environment }, () => resolve())
  })
const played = async (session: string) => {
  const { events } = await ask("GET", `/sessions/${session}/events`)
  return events.filter(({ subject }: any) => /^speech\.(heard|interrupted)/.test(subject)).map(({ event }: any) => event)
}

beforeAll(async () => {
  if (!there) return
  folder = mkdtempSync(join(tmpdir(), "voxbus-pulse-"))
  const socket = join(folder, "native")
  const modules = [
    `module-native-protocol-unix socket=${socket} auth-anonymous=1`,
    "module-null-sink sink_name=mic",
    "module-null-sink sink_name=out"
  ]
  server = spawn("pulseaudio", ["-n", "--daemonize=no", "--exit-idle-time=-1", ...modules.map((module) => `--load=${module}`)], {
    env: { ...process.env, HOME: folder, XDG_RUNTIME_DIR: folder },
    stdio: "ignore"
  })
  await until(() => existsSync(socket))
  const pulse = { PULSE_SERVER: `unix:${socket}`, PULSE_SINK: "out" }
  spawnSync("pactl", ["set-default-source", "mic.monitor"], { env: { ...process.env, ...pulse } })
  voxbus = await startProgram({ ...pulse, ...ATTENTIVE_ENGINES }, { recording: { allow: ["mic"] } })
  token = await Effect.runPromise(homeToken(voxbus.home))
}, 120_000)

afterAll(async () => {
  if (!there) return
  await voxbus.stop()
  server.kill()
  await once(server, "exit")
  rmSync(folder, { recursive: true })
})

describe("talking on this machine", () => {
  it.skipIf(!there)("a key opens the microphone and closes it; the answer is played, and what was heard is on the log", async () => {
    const speech = await speechFile(["What is the capital city of France?", "And how many people live there?"])
    assert.deepInclude(await ask("GET", "/talk/status"), { listening: false, playing: false })
    assert.strictEqual((await ask("POST", "/talk/stop", {})).error, "recording.state")
    const pressed = await voxbus.run("talk", "--toggle", "--json")
    assert.isTrue(pressed.json[0]?.listening, pressed.stderr)
    await say(speech)
    const { session, turn, listening } = await ask("POST", "/talk/toggle", {})
    assert.deepStrictEqual([turn, listening], [1, false])
    await until(async () => (await played(session)).length > 0)
    const [heard] = await played(session)
    const { messages } = await ask("GET", "/conversation/messages")
    const answer = messages.find(({ role }: any) => role === "assistant")
    assert.deepInclude(heard, { _tag: "speech.heard", unit: 1, sentences: answer.content.split("here.").length - 1 })
    assert.isAbove(heard.samples, 1_000)
    assert.deepInclude(await ask("GET", "/talk/status"), { playing: false, session })
    assert.deepInclude(await ask("GET", "/conversation/state"), { state: "IDLE" })
  })

  it.skipIf(!there)("what the guard does not allow is not recorded; a question of nothing is none", async () => {
    assert.strictEqual((await ask("POST", "/talk/start", { device: "out.monitor" })).error, "device.blocked")
    await ask("POST", "/talk/start", {})
    // Silence, or, where the microphone was quicker closed than open, not even that.
    const { error } = await ask("POST", "/talk/stop", {})
    assert.include([undefined, "audio.empty"], error)
    await until(async () => (await ask("GET", "/conversation/state")).state === "IDLE")
    assert.strictEqual((await ask("GET", "/conversation/state")).state, "IDLE")
    const { messages } = await ask("GET", "/conversation/messages")
    assert.strictEqual(messages.filter(({ role }: any) => role === "user").length, 1)
  })
})
