/** R2: a recording survives whatever happens to the program, its device and its disk, and needs no hand to end well. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { execFileSync } from "node:child_process"
import { mkdtempSync, rmSync, statfsSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { DevicesAllow, RecordingStart, RecordingStatus, RecordingStop } from "../contract/RecordingCommands.ts"
import { wavBytes } from "../kernel/Media.ts"
import { runRecordingCrash } from "./crash/recording/Run.ts"
import { RATE, voice } from "./crash/recording/Voice.ts"
import { type BusOf, busOf, until } from "./support/bus.ts"
import { type Running, startProgram, TESTKIT_ENGINES } from "./support/program.ts"
import { MICROPHONE, soundServer } from "./support/soundServer.ts"

/** Waits for a state and returns what the user is told then. */
const stateOf = (bus: BusOf, session: string, state: string) =>
  until(async () => {
    const status = await bus.ask(RecordingStatus, { session })
    return status.state === state ? status : undefined
  })

const recorded = (bus: BusOf, session: string, seconds: number) =>
  until(async () => ((await bus.ask(RecordingStatus, { session })).recordedSeconds >= seconds ? true : undefined))

const eventsOf = async (bus: BusOf, session: string) => (await bus.events(`*.*.call.${session}.>`)).map(({ event }) => event)

/** Runs with a program of its own; its bus is closed first. */
const withProgram = async (environment: NodeJS.ProcessEnv, work: (voxbus: Running, bus: BusOf) => Promise<void>, config: object = {}) => {
  const started = await startProgram({ ...TESTKIT_ENGINES, ...environment }, config)
  const voxbus = { ...started, home: environment["VOXBUS_HOME"] ?? started.home }
  const bus = await busOf(voxbus)
  try {
    await work(voxbus, bus)
  } finally {
    await bus.close()
    await started.stop()
  }
}

describe("a recording", () => {
  it("goes on after everything was killed: at most 250 ms a kill, and a finished bundle", async () => {
    const { result, faults, folder } = await Effect.runPromise(runRecordingCrash({ seed: 1, kills: 3 }))
    console.info(JSON.stringify(result))
    if (folder !== "") rmSync(folder, { recursive: true, force: true, maxRetries: 5 })
    assert.deepStrictEqual(faults, [])
    assert.deepInclude(result, { kills: 3, lostOfFileMs: 0, bundles: 2 })
    assert.isAtMost(result.lostMs.max, 250)
  })

  it("says when its device is gone or no longer allowed, goes on when it is back, and keeps everything", async () => {
    const sound = soundServer()
    const config = { recording: { allow: [MICROPHONE], graceSeconds: 120 } }
    const work = async (_: Running, bus: BusOf) => {
      const { session = "" } = await bus.ask(RecordingStart, { source: { kind: "device", device: MICROPHONE }, title: "Desk" })
      await recorded(bus, session, 1)
      sound.pullOut()
      const gone = await stateOf(bus, session, "PAUSED")
      assert.match(gone.problem ?? "", /device/i)
      sound.plugIn()
      await stateOf(bus, session, "RECORDING")
      await recorded(bus, session, gone.recordedSeconds + 1)
      await bus.ask(DevicesAllow, { pattern: MICROPHONE, allow: false })
      const revoked = await stateOf(bus, session, "PAUSED")
      assert.match(revoked.problem ?? "", /blocklist/)
      await bus.ask(RecordingStop, { session })
      const done = await stateOf(bus, session, "COMPLETED")
      assert.isAtLeast(done.recordedSeconds, revoked.recordedSeconds, "what was recorded is kept")
      const events = await eventsOf(bus, session)
      const reasons = events.filter(({ _tag }) => _tag === "session.paused").map(({ reason }) => reason)
      assert.match(String(reasons[0]), /^device\.(failed|missing)$/)
      assert.strictEqual(reasons.at(-1), "device.blocked")
      const spans = events.filter(({ _tag }) => _tag === "audio.captured")
      assert.isAtLeast(spans.length, 2)
      assert.isAbove(spans[1].start, (spans[0].samples * RATE) / spans[0].sampleRate, "the time it was away is a gap")
      assert.isTrue(events.some(({ _tag }) => _tag === "bundle.ready"))
    }
    await withProgram({ PATH: sound.path }, work, config).finally(sound.remove)
  })

  it("ends well when the disk is nearly full, says so, and takes no other until there is room", async (context) => {
    const small = smallDisk(150)
    if (small === undefined) return context.skip()
    const path = join(small.folder, "..", `${small.name}.wav`)
    writeFileSync(path, wavBytes(voice(0, 120 * RATE), RATE, 1))
    const source = { kind: "file", path } as const
    const work = async (_: Running, bus: BusOf) => {
      const { session = "" } = await bus.ask(RecordingStart, { source, title: "Full" })
      await recorded(bus, session, 1)
      const { bavail, bsize } = statfsSync(small.folder)
      const filler = join(small.folder, "filler")
      writeFileSync(filler, Buffer.alloc(bavail * bsize - 30e6))
      const done = await stateOf(bus, session, "COMPLETED")
      assert.match(done.problem ?? "", /MB are free/)
      assert.isAtLeast(done.recordedSeconds, 1)
      const events = await eventsOf(bus, session)
      assert.deepInclude(
        events.find(({ _tag }) => _tag === "session.warned"),
        { kind: "disk" }
      )
      assert.isTrue(events.some(({ _tag }) => _tag === "bundle.ready"))
      const refused = await bus.ask(RecordingStart, { source, title: "Again" }).catch((failure: { readonly code: string }) => failure.code)
      assert.strictEqual(refused, "disk.full")
      rmSync(filler)
      const again = await bus.ask(RecordingStart, { source, title: "Again" })
      await bus.ask(RecordingStop, { session: again.session ?? "" })
    }
    await withProgram({ VOXBUS_HOME: small.folder, VOXBUS_RECORDING_MIN_FREE_MB: "50" }, work).finally(() => {
      small.remove()
      rmSync(path, { force: true })
    })
  })
})

/** A file system of its own, where this user may mount one. */
function smallDisk(megabytes: number) {
  const folder = mkdtempSync(join(tmpdir(), "voxbus-small-"))
  try {
    execFileSync("mount", ["-t", "tmpfs", "-o", `size=${megabytes}m,mode=700`, "tmpfs", folder], { stdio: "ignore" })
  } catch {
    rmSync(folder, { recursive: true })
    return undefined
  }
  return {
    folder,
    name: folder.split("/").at(-1) ?? "",
    remove: () => {
      execFileSync("umount", ["--lazy", folder])
      rmSync(folder, { recursive: true, force: true })
    }
  }
}
