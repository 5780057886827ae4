/**
 * A call recorded live by the real program: steered, kept to the sample, behind the guard. Devices are PulseAudio's; where
 * there is no PulseAudio that part says loudly that it was left out.
 */
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import { spawn } from "node:child_process"
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { DetectionAnswer, DetectionStatus } from "../contract/DetectionCommands.ts"
import * as Contract from "../contract/RecordingCommands.ts"
import { type BusOf, busOf, until } from "./support/bus.ts"
import { MAIN, type Running, startProgram } from "./support/program.ts"
import { type Pulse, startPulse } from "./support/pulse.ts"
import { TEST_PROGRAM } from "./support/restart.ts"
import { toneFile, tones } from "./support/tones.ts"

const pulse: Pulse | undefined = await startPulse()

describe("a live recording", () => {
  let voxbus: Running
  let bus: BusOf
  const status = (session?: string) => bus.ask(Contract.RecordingStatus, session === undefined ? {} : { session })
  const reaches = (session: string | undefined, state: string, recordedSeconds = 0) =>
    until(async () => {
      const now = await status(session)
      return now.state === state && now.recordedSeconds >= recordedSeconds ? now : undefined
    })
  const sessionOf = ({ session }: Contract.RecordingStatusReply) => {
    if (session === undefined) throw new Error("no session")
    return session
  }
  const events = async (tag: string, session: string) => (await bus.events(`${tag}.call.${session}.>`)).map(({ event }) => event)
  const samples = async (session: string) => (await events("audio.captured", session)).reduce((sum, event) => sum + event.samples, 0)

  const post = async (path: string, request: object, headers: Record<string, string> = {}) => {
    const token = readFileSync(join(voxbus.home, "token"), "utf8").trim()
    const response = await fetch(`${voxbus.gateway}/api${path}`, {
      method: "POST",
      headers: { authorization: `Bearer ${token}`, "content-type": "application/json", ...headers },
      body: JSON.stringify(request)
    })
    const answer: any = await response.json()
    return { status: response.status, answer }
  }

  beforeAll(async () => {
    voxbus = await startProgram(
      { ...TEST_PROGRAM, ...pulse?.environment },
      { recording: { undoSeconds: 3, allow: ["mic"], detect: "ask", detectSeconds: 0.5, detectDevice: "mic", detectApps: ["meeting"] } }
    )
    bus = await busOf(voxbus)
  })
  afterAll(async () => {
    await bus.close()
    await voxbus.stop()
    await pulse?.stop()
  })

  it("is paused, resumed and stopped, and becomes a transcript and a bundle", async () => {
    const source = { kind: "file", path: toneFile([[0.3, 3.5]]) } as const
    const started = await bus.ask(Contract.RecordingStart, { source, title: "Printer", ticket: "T-42", idempotencyKey: "a-key" })
    const session = sessionOf(started)
    assert.strictEqual(started.state, "RECORDING")
    assert.strictEqual(sessionOf(await bus.ask(Contract.RecordingStart, { source, idempotencyKey: "a-key" })), session)
    await reaches(session, "RECORDING", 0.6)
    assert.strictEqual((await bus.ask(Contract.RecordingPause, { session })).state, "PAUSED")
    const refused = await bus.ask(Contract.RecordingPause, { session }).then(
      () => undefined,
      (failure) => failure
    )
    assert.include(String(refused), "paused cannot pause")
    assert.strictEqual((await bus.ask(Contract.RecordingResume, { session })).title, "Printer")
    await reaches(session, "RECORDING", 1.2)
    await bus.ask(Contract.RecordingStop, { session })
    const done = await reaches(session, "COMPLETED")
    assert.deepInclude(done, { title: "Printer", ticket: "T-42" })
    for (const timer of ["RECORDING", "PAUSED", "TRANSCRIBING"]) assert.property(done.timers, timer)
    const [first, second] = await events("audio.captured", session)
    assert.isAbove(second.start, first.start + first.samples)
    const [paused] = await events("session.paused", session)
    assert.deepInclude(paused, { reason: "user", at: first.samples })
    assert.include((await events("bundle.ready", session))[0].folder, "T-42")
    // Nothing is recorded any more; the key still names the session.
    assert.strictEqual((await status()).state, "IDLE")
    assert.strictEqual(sessionOf(await bus.ask(Contract.RecordingStart, { source, idempotencyKey: "a-key" })), session)
  })

  it("is thrown away by cancel and discard, and a discard can be taken back", async () => {
    const source = { kind: "file", path: toneFile([[0.3, 30]]) } as const
    const begin = async () => {
      const session = sessionOf(await bus.ask(Contract.RecordingStart, { source }))
      await reaches(session, "RECORDING", 0.6)
      return session
    }
    const cancelled = await begin()
    await bus.ask(Contract.RecordingCancel, { session: cancelled })
    assert.strictEqual((await status(cancelled)).state, "IDLE")
    await until(async () => ((await bus.events(`audio.captured.call.${cancelled}.>`)).length === 0 ? true : undefined))

    const restored = await begin()
    const gone = await bus.ask(Contract.RecordingDiscard, { session: restored })
    assert.strictEqual(gone.state, "STOPPING")
    assert.isNumber(gone.undoUntilMs)
    await bus.ask(Contract.RecordingUndo, { session: restored })
    await reaches(restored, "COMPLETED")
    assert.isAbove(await samples(restored), 8_000)

    const discarded = await begin()
    await bus.ask(Contract.RecordingDiscard, { session: discarded })
    await reaches(discarded, "IDLE")
  })

  it("takes raw audio from standard input, to the sample", async () => {
    const audio = tones([[0.2, 2.5]])
    const child = spawn(process.execPath, [MAIN, "record", "--stdin", "--rate", "16000", "--title", "Piped", "--json"], {
      env: voxbus.environment,
      stdio: ["pipe", "pipe", "inherit"]
    })
    let printed = ""
    child.stdout.setEncoding("utf8").on("data", (text: string) => (printed += text))
    child.stdin.end(new Uint8Array(audio.buffer))
    const code = await new Promise((resolve) => child.once("close", resolve))
    assert.strictEqual(code, 0)
    const session = sessionOf(JSON.parse(printed.split("\n", 1)[0] ?? ""))
    await reaches(session, "COMPLETED")
    assert.strictEqual(await samples(session), audio.length)
    assert.strictEqual((await status(session)).title, "Piped")
  })

  it("queues a file once for one idempotency key, as it starts one recording", async () => {
    const queue = () => post("/jobs/add", { path: toneFile([[0.3, 3.5]]), ticket: "T-7" }, { "idempotency-key": "job-1" })
    const first = await queue()
    assert.strictEqual(first.status, 200)
    assert.deepStrictEqual((await queue()).answer, { session: first.answer.session, added: false })
  })

  it("refuses what the guard does not allow, and a bad ticket", async () => {
    const refusal = async (request: object) => {
      const { status, answer } = await post("/recording/start", request)
      return `${status} ${answer.error}`
    }
    const file = { kind: "file", path: toneFile([[0.3, 3.5]]) }
    assert.strictEqual(await refusal({ source: file, ticket: "T 42/../x" }), "400 input.invalid")
    assert.match(await refusal({ source: { kind: "file", path: "/nowhere.wav" } }), / input\.missing$/)
    if (pulse !== undefined) assert.match(await refusal({ source: { kind: "device", device: "call.monitor" } }), / device\.blocked$/)
  })

  it.skipIf(pulse === undefined)("records a device, loses it, and goes on when it is back", async () => {
    if (pulse === undefined) return
    const { devices } = await bus.ask(Contract.DevicesList, {})
    assert.deepStrictEqual(
      devices.map(({ id, kind, allowed }) => [id, kind, allowed]),
      [
        ["call.monitor", "monitor", false],
        ["mic", "microphone", true]
      ]
    )
    // Far too loud, so that it is clipped.
    const playing = pulse.play(tones([[0, 2]]).map((sample) => (sample === 0 ? 0 : sample > 0 ? 32_767 : -32_768)))
    const session = sessionOf(await bus.ask(Contract.RecordingStart, { source: { kind: "device", device: "mic" } }))
    await reaches(session, "RECORDING", 1)
    const plug = pulse.unplug()
    const lost = await reaches(session, "PAUSED")
    assert.match(lost.problem ?? "", /stopped delivering|no device/)
    plug()
    await reaches(session, "RECORDING", lost.recordedSeconds + 0.5)
    await bus.ask(Contract.RecordingStop, { session })
    await reaches(session, "COMPLETED")
    playing.kill("SIGKILL")
    const [first, second] = await events("audio.captured", session)
    assert.isAbove(second.start, first.start + Math.floor(first.samples / 3), "the time without the device is a gap")
    assert.match((await events("session.paused", session))[0].reason, /^device\./)
    assert.strictEqual((await events("session.resumed", session)).length, 1)
    // What was played is what is heard, and the user is told that it is too loud.
    const [chunk] = await events("audio.normalized", session)
    assert.isAbove(chunk.peakDbfs, -6)
    const [warned] = await events("session.warned", session)
    assert.strictEqual(warned.kind, "clipping")
  })

  it.skipIf(pulse === undefined)("notices a call of another program, records it after a yes, and stops with it", async () => {
    if (pulse === undefined) return
    assert.deepInclude(await bus.ask(DetectionStatus, {}), { mode: "ask", available: true, calls: [] })
    const other = pulse.listen("dictation")
    const meeting = pulse.listen("Meeting")
    const call = await until(async () => (await bus.ask(DetectionStatus, {})).calls[0])
    assert.deepInclude(call, { application: "Meeting", asks: true })
    assert.strictEqual((await status()).state, "IDLE", "nothing is recorded without a yes")
    const answered = await bus.ask(DetectionAnswer, { call: call.call, record: true })
    const session = answered.calls[0]?.recordedAs
    if (session === undefined) throw new Error("it is not recorded")
    assert.strictEqual((await reaches(session, "RECORDING", 0.5)).title, "Call in Meeting")
    meeting.kill("SIGKILL")
    await until(async () => ((await bus.ask(DetectionStatus, {})).calls.length === 0 ? true : undefined))
    await until(async () => ((await status(session)).state === "COMPLETED" ? true : undefined))
    other.kill("SIGKILL")
    const unknown = await bus.ask(DetectionAnswer, { call: call.call, record: true }).then(
      () => "",
      (failure) => String(failure)
    )
    assert.include(unknown, "There is no call")
  })
})
