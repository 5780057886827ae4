/** Calls over the WebSocket: the messages of the topics, made of events on a real bus, and nothing missed after a reconnect. */
import { assert, describe, layer } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { ulid } from "ulid"
import type { Event } from "../contract/Events.ts"
import { defaultSessionConfig, type SessionId } from "../contract/Session.ts"
import { GatewayAddress } from "../gateway/index.ts"
import { connect } from "../gateway/testkit/Client.ts"
import { TOPICS } from "../gateway/calls/Messages.ts"
import { Bus } from "../kernel/Bus.ts"
import { encode } from "../kernel/Envelope.ts"
import { scriptedGateway } from "./support/gateway.ts"

const connected = Effect.flatMap(GatewayAddress, connect)
const RATE = 16_000
const BLOB = { sha256: "0".repeat(64), bytes: 2, mediaType: "application/json" }
const config = defaultSessionConfig

const base = (session: SessionId) => ({ v: 1, mode: "call", session }) as const

const engine = { engine: "test", model: "test", modelSha256: "", computeMs: 1, threads: 1 } as const

const chunk = (session: SessionId, unit: number, text: string): ReadonlyArray<Event> => {
  const span = { start: (unit - 1) * RATE, end: unit * RATE }
  return [
    {
      _tag: "text.transcribed",
      ...base(session),
      ...span,
      ...engine,
      unit,
      text,
      segments: [],
      language: "en",
      languageProbability: 1,
      confidence: 1,
      config
    }
  ]
}

const opened = (session: SessionId): ReadonlyArray<Event> => [
  {
    _tag: "session.opened",
    ...base(session),
    title: "Printer",
    source: { kind: "device", name: "test" },
    live: { kind: "stream", name: "test", sampleRate: 16_000, channels: 1 },
    config,
    at: "2026-11-25T12:00:00.000Z"
  },
  { _tag: "session.started", ...base(session), epochMs: 0, sampleRate: 16_000, channels: 1 }
]

const closed = (session: SessionId, chunks: number): ReadonlyArray<Event> => [
  { _tag: "session.closed", ...base(session), reason: "stopped", captured: 1 },
  {
    _tag: "audio.completed",
    ...base(session),
    chunks,
    samples: chunks * RATE,
    speechSamples: chunks * RATE,
    sourceSampleRate: RATE,
    sourceChannels: 1
  }
]

const bundled = (session: SessionId): ReadonlyArray<Event> => [
  {
    _tag: "transcript.completed",
    ...base(session),
    version: 1,
    transcript: BLOB,
    language: "en",
    samples: RATE,
    segments: 1,
    words: 2,
    coverage: { speechSamples: RATE, transcribedSamples: RATE, ratio: 1, gaps: [] }
  },
  {
    _tag: "bundle.ready",
    ...base(session),
    version: 1,
    folder: "/tmp/x",
    bundle: "x.vtb",
    files: [],
    seal: { head: "0".repeat(64), events: 1, publicKey: "", signature: "" }
  }
]

const publish = Effect.fnUntraced(function* (events: ReadonlyArray<Event>) {
  const bus = yield* Bus
  for (const event of events) yield* bus.publish(yield* encode(event, { actor: "test", cause: "", messageId: `test:${ulid()}` }))
})

describe("calls over the socket", () => {
  layer(scriptedGateway, { excludeTestServices: true, timeout: 60_000 })((it) => {
    it.effect("tells the states, the time, the words, the progress and the end of a recording", () =>
      Effect.gen(function* () {
        const client = yield* connected
        yield* client.send({ type: "subscribe", topics: [...TOPICS] })
        yield* client.until("state_change", ({ state }) => state === "idle")
        yield* client.until("queue_status")
        const session = ulid()
        yield* publish(opened(session))
        const recording = yield* client.until("state_change", (message) => message.session === session && message.state === "recording")
        assert.strictEqual(recording.previous, "initializing")
        assert.strictEqual(recording.title, "Printer")
        const timer = yield* client.until("timer")
        assert.match(timer.formatted, /^00:00:0\d$/)
        yield* publish(chunk(session, 1, "Good morning."))
        yield* publish(closed(session, 2))
        const partial = yield* client.until("partial_transcript")
        assert.deepInclude(partial, { session, unit: 1, text: "Good morning.", is_final: true, start: 0, end: 1 })
        yield* publish(chunk(session, 2, "The printer is broken."))
        yield* publish(bundled(session))
        const end = yield* client.until("recording_complete")
        assert.deepInclude(end, { recording_id: session, preview: "Good morning. The printer is broken." })
        yield* client.until("processing_progress", ({ percent }) => percent === 100)
        const states = client.all("state_change").flatMap((message) => (message.session === session ? [message.state] : []))
        assert.deepStrictEqual(states, ["initializing", "recording", "normalizing", "transcribing", "bundling", "completed"])
        const failed: Event = { _tag: "job.failed", ...base(ulid()), code: "audio.unreadable", message: "That is no audio." }
        yield* publish([failed])
        const error = yield* client.until("error")
        assert.deepInclude(error, { code: "audio.unreadable", message: "That is no audio.", recoverable: false })
        yield* publish([{ _tag: "call.detected", v: 1, application: "phone", started: true }])
        assert.deepInclude(yield* client.until("call_detected"), { process: "phone", started: true })
      })
    )

    it.effect("counts the jobs of the queue", () =>
      Effect.gen(function* () {
        const client = yield* connected
        yield* client.send({ type: "subscribe", topics: ["queue"] })
        const before = (yield* client.until("queue_status")).counts["queued"] ?? 0
        yield* publish([{ _tag: "job.queued", ...base(ulid()), kind: "import", path: "/tmp/none.wav", title: "None", config }])
        yield* client.until("queue_status", ({ counts }) => counts["queued"] === before + 1)
      })
    )

    it.effect("misses nothing when a client comes back in the middle of a call", () =>
      Effect.gen(function* () {
        const session = ulid()
        const first = yield* connected
        yield* first.send({ type: "subscribe", topics: ["state", "transcript", "recording"], session })
        yield* first.until("state_change")
        yield* publish([...opened(session), ...chunk(session, 1, "one")])
        const seen = yield* first.until("partial_transcript")
        yield* first.close
        yield* publish([...chunk(session, 2, "two"), ...chunk(session, 3, "three"), ...closed(session, 3), ...bundled(session)])
        const again = yield* connected
        const from = { stream: "CALLS", sequence: (seen.sequence ?? 0) + 1 } as const
        yield* again.send({ type: "subscribe", topics: ["state", "transcript", "recording"], session, from })
        const end = yield* again.until("recording_complete")
        assert.strictEqual(end.preview, "one two three")
        assert.deepStrictEqual(
          again.all("partial_transcript").map(({ text }) => text),
          ["two", "three"]
        )
        const states = again.all("state_change").flatMap((message) => (message.session === session ? [message.state] : []))
        assert.deepStrictEqual(
          states.filter((state) => state !== "recording"),
          // Every chunk had its text before the last one was cut.
          ["normalizing", "bundling", "completed"]
        )
      })
    )

    it.effect("sends at most ten messages of progress a second, and the last one always", () =>
      Effect.gen(function* () {
        const client = yield* connected
        yield* client.send({ type: "subscribe", topics: ["progress", "state"] })
        yield* client.until("state_change")
        const session = ulid()
        const units = Array.from({ length: 100 }, (_, index) => index + 1)
        yield* publish([...opened(session), ...closed(session, units.length)])
        for (const unit of units) yield* publish(chunk(session, unit, "word"))
        yield* publish(bundled(session))
        yield* client.until("processing_progress", ({ percent }) => percent === 100)
        const at = client.received.flatMap(({ message, at }) => (message.type === "processing_progress" ? [at] : []))
        // Any eleven span a second, give or take what the machine's timers are late.
        const spans = at.slice(10).map((time, index) => time - (at[index] ?? 0))
        assert.isBelow(at.length, 101)
        for (const span of spans) assert.isAtLeast(span, 900)
      })
    )

    it.effect("says what is wrong with a subscription", () =>
      Effect.gen(function* () {
        const client = yield* connected
        yield* client.sendRaw(JSON.stringify({ type: "subscribe" }))
        const error = yield* client.until("error")
        assert.strictEqual(error.code, "input.invalid")
        yield* client.sendRaw(JSON.stringify({ type: "subscribe", topics: ["weather"] }))
        yield* client.until("error", ({ message }) => message.includes("topics"))
      })
    )
  })
})
