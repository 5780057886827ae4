import { assert, layer } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import type { AudioCaptured, AudioNormalized, Event } from "../../contract/Events.ts"
import { defaultSessionConfig, type Mode } from "../../contract/Session.ts"
import { framesSubject } from "../../contract/Subjects.ts"
import { Blobs } from "../../kernel/Blobs.ts"
import { Bus } from "../../kernel/Bus.ts"
import type { Cores } from "../../kernel/Cores.ts"
import type { Frames } from "../../kernel/Frames.ts"
import * as Media from "../../kernel/Media.ts"
import { Models } from "../../kernel/Models.ts"
import { Settings } from "../../kernel/Settings.ts"
import { loadSherpa } from "../../kernel/Sherpa.ts"
import { testkit, testLayer } from "../../kernel/testkit/Testkit.ts"
import { normalizerActor, normalizerLayer } from "./index.ts"
import type { Vad } from "./Vad.ts"

const RATE = 16_000
let sessions = 0
const newSession = () => `01ARZ3NDEKTSV4RRFFQ${String(++sessions).padStart(7, "0")}`

const models = Models.layer.pipe(Layer.provideMerge(Settings.layer()))
const services = Layer.provideMerge(normalizerLayer, models)

/** The local voice says something; 16 kHz mono. */
const spoken = Effect.fnUntraced(function* (text: string) {
  const voice = yield* (yield* Models).locate("piper-en-us-joe")
  const vits = { model: voice.path("model"), tokens: voice.path("tokens"), dataDir: voice.path("espeak"), noiseScale: 0 }
  const tts = new (loadSherpa().OfflineTts)({ model: { vits, numThreads: 1, debug: false }, maxNumSentences: 1 })
  const { samples, sampleRate } = tts.generate({ text, sid: 0, speed: 1 })
  return yield* Media.resample(
    Int16Array.from(samples, (sample) => Math.round(sample * 20_000)),
    sampleRate,
    1
  )
})

const silence = (seconds: number) => new Int16Array(seconds * RATE)
const wav = (...parts: ReadonlyArray<Int16Array>) => Media.wavBytes(Media.joined(parts), RATE, 1)

/** A captured file, already in the store. */
const captured = Effect.fnUntraced(function* (mode: Mode, bytes: Uint8Array, unit = 1) {
  const session = newSession()
  const blob = yield* (yield* Blobs).put({ mode, session }, bytes, "application/octet-stream")
  const event: typeof AudioCaptured.Type = {
    _tag: "audio.captured",
    v: 1,
    mode,
    session,
    unit,
    audio: { blob },
    codec: "file",
    config: defaultSessionConfig
  }
  return event
})

const chunksIn = (events: ReadonlyArray<Event>): ReadonlyArray<typeof AudioNormalized.Type> =>
  events.filter((event) => event._tag === "audio.normalized")

layer(services, { timeout: 30_000, excludeTestServices: true })("normalizer", (it) => {
  /** Each test has a bus of its own; the detector is shared. */
  const test = <E>(name: string, body: () => Effect.Effect<void, E, Bus | Blobs | Frames | Cores | Models | Vad | Scope.Scope>) =>
    it.effect(name, () => body().pipe(Effect.provide(Layer.fresh(testLayer))), 30_000)

  test("cuts a call in silence and says when it has all of it", () =>
    Effect.gen(function* () {
      const kit = yield* testkit(normalizerActor)
      const speech = yield* spoken("The harvest was late this year, but the apples were better than ever before.")
      const file = wav(silence(5), speech, silence(20), speech, silence(5))
      const event = yield* captured("call", file)
      const { events } = yield* kit.send(event)
      const chunks = chunksIn(events)
      assert.deepStrictEqual(
        events.map(({ _tag }) => _tag),
        ["audio.normalized", "audio.normalized", "audio.completed"]
      )
      const pcm = Media.joined([silence(5), speech, silence(20), speech, silence(5)])
      for (const [index, chunk] of chunks.entries()) {
        assert.strictEqual(chunk.unit, index + 1)
        // The words begin and end where they were put.
        const from = index === 0 ? 5 * RATE : 25 * RATE + speech.length
        assert.closeTo(chunk.start, from, RATE)
        assert.closeTo(chunk.end, from + speech.length, RATE)
        const bytes = yield* (yield* Blobs).get(event, chunk.audio)
        assert.deepStrictEqual(Buffer.from(bytes), Buffer.from(pcm.buffer, chunk.start * 2, (chunk.end - chunk.start) * 2))
        assert.isAbove(chunk.speechRatio, 0.5)
        assert.closeTo(chunk.peakDbfs, -4, 10)
      }
      const completed = events[2]
      if (completed?._tag !== "audio.completed") return assert.fail("no audio.completed")
      const inChunks = chunks.flatMap(({ speech }) => speech).reduce((sum, { start, end }) => sum + end - start, 0)
      assert.deepStrictEqual(
        { chunks: completed.chunks, samples: completed.samples, speechSamples: completed.speechSamples, rate: completed.sourceSampleRate },
        { chunks: 2, samples: pcm.length, speechSamples: inChunks, rate: RATE }
      )
    }))

  test("gives the same events for the same audio, and finds the same speech in another format", () =>
    Effect.gen(function* () {
      const kit = yield* testkit(normalizerActor)
      const pcm = Media.joined([silence(1), yield* spoken("One two three four five."), silence(1)])
      const opus = yield* Media.encodeOpus(Stream.make(pcm))
      const run = Effect.fnUntraced(function* (bytes: Uint8Array) {
        const { events } = yield* kit.send(yield* captured("call", bytes))
        return events.map((event) => ({ ...event, session: "" }))
      })
      const first = yield* run(opus)
      assert.deepStrictEqual(yield* run(opus), first)
      const [original] = chunksIn(yield* run(wav(pcm)))
      const [compressed] = chunksIn(first)
      assert.closeTo(compressed?.start ?? 0, original?.start ?? -1, 0.15 * RATE)
      assert.closeTo(compressed?.end ?? 0, original?.end ?? -1, 0.15 * RATE)
    }))

  test("makes no chunk of a silent call, and one of a silent turn", () =>
    Effect.gen(function* () {
      const kit = yield* testkit(normalizerActor)
      const call = yield* kit.send(yield* captured("call", wav(silence(70))))
      assert.deepStrictEqual(
        call.events.map((event) => (event._tag === "audio.completed" ? [event.chunks, event.speechSamples, event.samples] : event._tag)),
        [[0, 0, 70 * RATE]]
      )
      const turn = yield* kit.send(yield* captured("assistant", wav(silence(2)), 3))
      assert.deepStrictEqual(
        chunksIn(turn.events).map(({ unit, start, end, speechRatio, peakDbfs }) => ({ unit, start, end, speechRatio, peakDbfs })),
        [{ unit: 3, start: 0, end: 2 * RATE, speechRatio: 0, peakDbfs: -120 }]
      )
      assert.strictEqual(turn.events.length, 1)
    }))

  test("takes a turn from stereo frames", () =>
    Effect.gen(function* () {
      const kit = yield* testkit(normalizerActor)
      const bus = yield* Bus
      const session = newSession()
      const speech = yield* spoken("What is the capital of France?")
      const stereo = new Int16Array(speech.length * 2).map((_, index) => speech[index >> 1] ?? 0)
      const bytes = Buffer.from(stereo.buffer)
      const sequences: Array<number> = []
      for (let at = 0; at < bytes.length; at += 8_000) {
        sequences.push(
          (yield* bus.publish({ subject: framesSubject("assistant", session), data: bytes.subarray(at, at + 8_000) })).sequence
        )
      }
      const frames = { first: sequences[0] ?? 0, last: sequences.at(-1) ?? 0, count: sequences.length }
      const raw = {
        _tag: "audio.captured",
        v: 1,
        mode: "assistant",
        session,
        unit: 1,
        audio: { frames },
        codec: "pcm_s16le",
        config: defaultSessionConfig
      } as const
      const { events } = yield* kit.send({ ...raw, sampleRate: RATE, channels: 2 })
      const [chunk] = chunksIn(events)
      assert.strictEqual(events.length, 1)
      assert.isAbove(chunk?.speechRatio ?? 0, 0.6)
      assert.closeTo((chunk?.end ?? 0) - (chunk?.start ?? 0), speech.length, RATE)
    }))

  test("says what is wrong, once, and does not try again", () =>
    Effect.gen(function* () {
      const kit = yield* testkit(normalizerActor)
      const code = Effect.fnUntraced(function* (event: typeof AudioCaptured.Type) {
        const { dead, events } = yield* kit.send(event)
        assert.deepStrictEqual(events, [])
        return [dead?.code, dead?.attempts]
      })
      assert.deepStrictEqual(yield* code(yield* captured("call", Buffer.from("These are words, not sound."))), ["audio.unreadable", 1])
      assert.deepStrictEqual(yield* code(yield* captured("assistant", wav())), ["audio.empty", 1])
      assert.deepStrictEqual(yield* code(yield* captured("call", wav(silence(1)), 2)), ["input.invalid", 1])
    }))
})
