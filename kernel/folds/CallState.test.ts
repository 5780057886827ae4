import { assert, describe, it } from "@effect/vitest"
import type { SessionEvent } from "../../contract/Events.ts"
import type { CallPhase } from "../../contract/RecordingCommands.ts"
import { defaultSessionConfig } from "../../contract/Session.ts"
import { allowed, callState, initial, MATRIX, move, PHASES, step, timers } from "./CallState.ts"

const base = { v: 1, mode: "call", session: "01JD0000000000000000000000" } as const
const config = defaultSessionConfig
const facts = { engine: "", model: "", modelSha256: "", computeMs: 0, threads: 1, start: 0, end: 1 } as const

const E = {
  opened: {
    _tag: "session.opened",
    ...base,
    title: "Printer",
    ticket: "T-1",
    source: { kind: "device", name: "mic" },
    live: { kind: "device", device: "mic" },
    config,
    at: "2026-11-24T00:00:00.000Z"
  },
  started: { _tag: "session.started", ...base, epochMs: 0, sampleRate: 48_000, channels: 1 },
  paused: { _tag: "session.paused", ...base, n: 1, at: 16_000, reason: "user" },
  lost: { _tag: "session.paused", ...base, n: 2, at: 16_000, reason: "device.missing" },
  resumed: { _tag: "session.resumed", ...base, n: 1, at: 32_000 },
  recovering: { _tag: "session.recovering", ...base, n: 1, at: 16_000 },
  discarded: { _tag: "session.discarded", ...base, n: 1, untilMs: 99 },
  restored: { _tag: "session.restored", ...base, n: 1 },
  warned: { _tag: "session.warned", ...base, n: 1, kind: "silence", at: 0, message: "Silence." },
  stopped: { _tag: "session.closed", ...base, reason: "stopped", captured: 1 },
  cancelled: { _tag: "session.closed", ...base, reason: "cancelled", captured: 1 },
  interrupted: { _tag: "session.closed", ...base, reason: "interrupted", captured: 1 },
  normalized: {
    _tag: "audio.normalized",
    ...base,
    unit: 1,
    start: 0,
    end: 1,
    audio: { sha256: "0".repeat(64), bytes: 1, mediaType: "" },
    speech: [],
    speechRatio: 0,
    peakDbfs: 0,
    config
  },
  completed: { _tag: "audio.completed", ...base, chunks: 1, samples: 10, speechSamples: 5, sourceSampleRate: 1, sourceChannels: 1 },
  none: { _tag: "audio.completed", ...base, chunks: 0, samples: 10, speechSamples: 0, sourceSampleRate: 1, sourceChannels: 1 },
  text: { _tag: "text.rejected", ...base, ...facts, unit: 1, reason: "silence", text: "" },
  gaveUp: {
    _tag: "error.raised",
    ...base,
    actor: "transcriber",
    unit: 1,
    code: "engine.failed",
    message: "x",
    recoverable: true,
    cause: "",
    subject: "",
    attempts: 5
  },
  broken: {
    _tag: "error.raised",
    ...base,
    actor: "bundler",
    code: "bundle.unwritable",
    message: "x",
    recoverable: true,
    cause: "",
    subject: "",
    attempts: 5
  },
  transcript: {
    _tag: "transcript.completed",
    ...base,
    version: 1,
    transcript: { sha256: "0".repeat(64), bytes: 1, mediaType: "" },
    language: "en",
    samples: 1,
    segments: 0,
    words: 0,
    coverage: { speechSamples: 0, transcribedSamples: 0, ratio: 1, gaps: [] }
  },
  bundle: {
    _tag: "bundle.ready",
    ...base,
    version: 1,
    folder: "",
    bundle: "",
    files: [],
    seal: { head: "0".repeat(64), events: 1, publicKey: "", signature: "" }
  }
} as const satisfies Record<string, SessionEvent>

const run = (...events: ReadonlyArray<keyof typeof E>) =>
  callState(events.map((name, index) => ({ event: E[name], time: 1_000 * (index + 1) })))
const phases = (...events: ReadonlyArray<keyof typeof E>) => events.map((_, index) => run(...events.slice(0, index + 1)).phase)

/** What an event does where: `A>B` moves, `A!` is refused; in the states that are not named it changes no state. */
const TABLE = [
  "opened IDLE>INITIALIZING INITIALIZING! RECORDING! PAUSED! STOPPING! NORMALIZING! TRANSCRIBING! BUNDLING! COMPLETED! ERROR! RECOVERING!",
  "started IDLE! INITIALIZING>RECORDING PAUSED>RECORDING STOPPING! NORMALIZING! TRANSCRIBING! BUNDLING! COMPLETED! ERROR>RECORDING RECOVERING>RECORDING",
  "paused IDLE! INITIALIZING! RECORDING>PAUSED STOPPING! NORMALIZING! TRANSCRIBING! BUNDLING! COMPLETED! ERROR>PAUSED RECOVERING>PAUSED",
  "lost IDLE! INITIALIZING! RECORDING>PAUSED STOPPING! NORMALIZING! TRANSCRIBING! BUNDLING! COMPLETED! ERROR>PAUSED RECOVERING>PAUSED",
  "resumed IDLE! INITIALIZING>RECORDING PAUSED>RECORDING STOPPING! NORMALIZING! TRANSCRIBING! BUNDLING! COMPLETED! ERROR>RECORDING RECOVERING>RECORDING",
  "recovering IDLE! INITIALIZING>RECOVERING RECORDING>RECOVERING PAUSED>RECOVERING STOPPING>RECOVERING NORMALIZING>RECOVERING TRANSCRIBING>RECOVERING BUNDLING>RECOVERING COMPLETED! ERROR>RECOVERING",
  "discarded IDLE! INITIALIZING! RECORDING>STOPPING PAUSED>STOPPING STOPPING! NORMALIZING! TRANSCRIBING! BUNDLING! COMPLETED! ERROR! RECOVERING>STOPPING",
  "restored",
  "warned",
  "stopped IDLE! INITIALIZING>NORMALIZING RECORDING>NORMALIZING PAUSED>NORMALIZING STOPPING>NORMALIZING NORMALIZING! TRANSCRIBING! BUNDLING! COMPLETED! ERROR>NORMALIZING RECOVERING>NORMALIZING",
  "cancelled IDLE! INITIALIZING>IDLE RECORDING>IDLE PAUSED>IDLE STOPPING>IDLE NORMALIZING! TRANSCRIBING! BUNDLING! COMPLETED! ERROR>IDLE RECOVERING>IDLE",
  "interrupted IDLE! INITIALIZING>NORMALIZING RECORDING>NORMALIZING PAUSED>NORMALIZING STOPPING>NORMALIZING NORMALIZING! TRANSCRIBING! BUNDLING! COMPLETED! ERROR>NORMALIZING RECOVERING>NORMALIZING",
  "normalized",
  "completed IDLE! INITIALIZING! RECORDING! PAUSED! STOPPING! NORMALIZING>TRANSCRIBING BUNDLING! COMPLETED! ERROR>TRANSCRIBING RECOVERING>TRANSCRIBING",
  "none IDLE! INITIALIZING! RECORDING! PAUSED! STOPPING! NORMALIZING>BUNDLING TRANSCRIBING>BUNDLING BUNDLING! COMPLETED! ERROR>BUNDLING RECOVERING>BUNDLING",
  "text",
  "gaveUp",
  "broken IDLE! INITIALIZING>ERROR RECORDING>ERROR PAUSED>ERROR STOPPING>ERROR NORMALIZING>ERROR TRANSCRIBING>ERROR BUNDLING>ERROR COMPLETED! ERROR! RECOVERING>ERROR",
  "transcript IDLE! INITIALIZING! RECORDING! PAUSED! STOPPING! NORMALIZING! TRANSCRIBING>BUNDLING COMPLETED! ERROR>BUNDLING RECOVERING>BUNDLING",
  "bundle IDLE! INITIALIZING! RECORDING! PAUSED! STOPPING! NORMALIZING! TRANSCRIBING>COMPLETED BUNDLING>COMPLETED COMPLETED! ERROR>COMPLETED RECOVERING!"
]

describe("call state", () => {
  it("allows exactly the transitions of the matrix", () => {
    const wanted = new Set(
      `IDLE>INITIALIZING IDLE>RECOVERING INITIALIZING>RECORDING INITIALIZING>ERROR RECORDING>PAUSED RECORDING>STOPPING RECORDING>ERROR
      PAUSED>RECORDING PAUSED>STOPPING PAUSED>ERROR STOPPING>NORMALIZING STOPPING>IDLE STOPPING>ERROR NORMALIZING>TRANSCRIBING NORMALIZING>ERROR
      TRANSCRIBING>BUNDLING TRANSCRIBING>COMPLETED TRANSCRIBING>ERROR BUNDLING>COMPLETED BUNDLING>ERROR COMPLETED>IDLE ERROR>IDLE ERROR>RECOVERING
      RECOVERING>IDLE RECOVERING>RECORDING RECOVERING>PAUSED RECOVERING>STOPPING RECOVERING>NORMALIZING RECOVERING>TRANSCRIBING RECOVERING>BUNDLING
      RECOVERING>ERROR`.split(/\s+/)
    )
    let forbidden = 0
    for (const from of PHASES)
      for (const to of PHASES) {
        const state = { ...initial, phase: from, since: 1_000 }
        const next = move(state, to, 3_000)
        assert.strictEqual(allowed(from, to), wanted.has(`${from}>${to}`), `${from} to ${to}`)
        if (allowed(from, to)) {
          assert.strictEqual(next.phase, to)
          assert.strictEqual(next.spent[from], 2_000)
          assert.isUndefined(next.refused)
        } else {
          forbidden += 1
          assert.strictEqual(next.phase, from)
          assert.deepStrictEqual(next.refused, { from, to })
        }
      }
    assert.strictEqual(forbidden, PHASES.length ** 2 - wanted.size)
  })

  it("does exactly this with every event in every state", () => {
    const table = Object.entries(E).map(([name, event]) => {
      const moves = PHASES.map((from) => {
        const { phase, refused } = step({ ...initial, phase: from, since: 1 }, event, 2)
        return refused !== undefined ? `${from}!` : phase === from ? "" : `${from}>${phase}`
      })
      return [name, ...moves.filter((each) => each !== "")].join(" ")
    })
    assert.deepStrictEqual(table, TABLE)
  })

  it("never leaves the matrix: every event in every state", () => {
    const reachable = (from: CallPhase): ReadonlySet<CallPhase> => {
      const seen = new Set<CallPhase>([from])
      for (const each of seen) for (const to of MATRIX[each]) seen.add(to)
      return seen
    }
    for (const from of PHASES)
      for (const event of Object.values(E)) {
        const next = step({ ...initial, phase: from, since: 1, expected: 1 }, event, 2)
        assert.isTrue(reachable(from).has(next.phase), `${event._tag} in ${from}`)
        if (next.refused !== undefined) assert.strictEqual(next.phase, from, `${event._tag} in ${from}`)
      }
  })

  it("follows a recording to its bundle", () => {
    assert.deepStrictEqual(
      phases("opened", "started", "paused", "resumed", "normalized", "text", "stopped", "completed", "transcript", "bundle"),
      ["INITIALIZING", "RECORDING", "PAUSED", "RECORDING", "RECORDING", "RECORDING", "NORMALIZING", "BUNDLING", "BUNDLING", "COMPLETED"]
    )
  })

  it("follows an import, a chunk that is given up, and a call without speech", () => {
    assert.deepStrictEqual(phases("opened", "stopped", "normalized", "completed", "gaveUp", "transcript", "bundle"), [
      "INITIALIZING",
      "NORMALIZING",
      "NORMALIZING",
      "TRANSCRIBING",
      "BUNDLING",
      "BUNDLING",
      "COMPLETED"
    ])
    assert.strictEqual(run("opened", "stopped", "none").phase, "BUNDLING")
  })

  it("recovers: a lost recorder, a lost device, a bundle written at the second try", () => {
    assert.deepStrictEqual(phases("opened", "started", "recovering", "resumed", "stopped"), [
      "INITIALIZING",
      "RECORDING",
      "RECOVERING",
      "RECORDING",
      "NORMALIZING"
    ])
    assert.strictEqual(run("opened", "started", "recovering", "interrupted").phase, "NORMALIZING")
    const lost = run("opened", "started", "lost")
    assert.strictEqual(lost.phase, "PAUSED")
    assert.strictEqual(lost.problem, "device.missing")
    assert.deepStrictEqual(phases("opened", "stopped", "none", "broken", "bundle"), [
      "INITIALIZING",
      "NORMALIZING",
      "BUNDLING",
      "ERROR",
      "COMPLETED"
    ])
  })

  it("goes back to IDLE when it is cancelled or discarded, and finishes when the discard is undone", () => {
    assert.deepStrictEqual(phases("opened", "started", "cancelled"), ["INITIALIZING", "RECORDING", "IDLE"])
    assert.deepStrictEqual(phases("opened", "started", "discarded", "cancelled"), ["INITIALIZING", "RECORDING", "STOPPING", "IDLE"])
    assert.deepStrictEqual(phases("opened", "started", "discarded", "restored", "stopped"), [
      "INITIALIZING",
      "RECORDING",
      "STOPPING",
      "STOPPING",
      "NORMALIZING"
    ])
  })

  it("refuses what makes no sense and says so", () => {
    const state = run("started")
    assert.strictEqual(state.phase, "IDLE")
    assert.deepStrictEqual(state.refused, { from: "IDLE", to: "RECORDING" })
    assert.isUndefined(step(state, E.opened, 5).refused)
  })

  it("keeps the time spent in every state", () => {
    const state = run("opened", "started", "paused", "resumed")
    assert.deepStrictEqual(timers(state, 4_500), { IDLE: 0, INITIALIZING: 1, RECORDING: 1.5, PAUSED: 1 })
    assert.strictEqual(state.title, "Printer")
    assert.strictEqual(state.ticket, "T-1")
  })
})
