import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { energyDetector } from "../actors/normalizer/EnergyVad.ts"
import { Vad } from "../actors/normalizer/index.ts"
import { Terminal } from "../kernel/Failure.ts"
import { isWords, makeHandsFree } from "./HandsFree.ts"

const RATE = 16_000
const SETTINGS = { silenceMs: 600, minSpeechMs: 200, longestMs: 10_000, interruptMs: 1_000 }
const layer = Layer.succeed(Vad, Vad.of({ detector: Effect.sync(energyDetector) }))

const tone = (ms: number): Uint8Array => {
  const samples = Int16Array.from({ length: (RATE * ms) / 1000 }, (_, n) => 8_000 * Math.sin(n / 5))
  return new Uint8Array(samples.buffer)
}
const silence = (ms: number) => new Uint8Array((2 * RATE * ms) / 1000)

/** What it asks of the conversation, as words in order. */
const kit = Effect.fnUntraced(function* (changes: { busy?: boolean; full?: boolean } = {}) {
  const log: Array<string> = []
  const heard: Array<number> = []
  const state = { busy: changes.busy ?? false, muted: false }
  const note = (what: string) => Effect.sync(() => void log.push(what))
  const handsFree = yield* makeHandsFree({ sampleRate: RATE, channels: 1 }, SETTINGS, {
    say: ({ type }) => note(type),
    muted: Effect.sync(() => state.muted),
    busy: () => state.busy,
    begin: Effect.sync(() => {
      log.push("begin")
      heard.push(0)
      return {
        frame: (pcm) =>
          changes.full === true
            ? Effect.fail(new Terminal({ code: "input.invalid", message: "Full." }))
            : Effect.sync(() => void (heard[heard.length - 1] = (heard.at(-1) ?? 0) + pcm.length / 2)),
        finish: Effect.succeed({ unit: 1 })
      }
    }),
    finish: note("finish"),
    drop: note("drop"),
    interrupt: note("interrupt")
  })
  return { ...handsFree, log, heard, state }
})

const test = (name: string, body: Effect.Effect<void, unknown, Vad | import("effect/Scope").Scope>) =>
  it.effect(name, () => body.pipe(Effect.scoped, Effect.provide(layer)))

describe("hands-free", () => {
  test(
    "finds a question, with the moment before it",
    Effect.gen(function* () {
      const { frame, log, heard } = yield* kit()
      yield* frame(silence(2_000))
      assert.deepStrictEqual(log, [])
      yield* frame(tone(800))
      assert.deepStrictEqual(log, ["voice.started", "begin"])
      yield* frame(silence(1_000))
      assert.deepStrictEqual(log, ["voice.started", "begin", "finish"])
      // 400 ms before, 800 ms of it, and the pause that ended it.
      assert.approximately(heard[0] ?? 0, (RATE * (400 + 800 + 600)) / 1000, RATE / 10)
    })
  )

  test(
    "a noise makes no turn",
    Effect.gen(function* () {
      const { frame, log } = yield* kit()
      yield* frame(tone(120))
      yield* frame(silence(1_000))
      assert.deepStrictEqual(log, ["voice.started", "begin", "drop", "voice.dropped"])
    })
  )

  test(
    "words in it end the answer while they are spoken",
    Effect.gen(function* () {
      const { frame, understood, log } = yield* kit({ busy: true })
      yield* frame(tone(400))
      yield* understood("")
      assert.notInclude(log, "interrupt")
      yield* understood("Stop it")
      yield* understood("Stop it, please")
      yield* frame(silence(700))
      assert.deepStrictEqual(log, ["voice.started", "begin", "interrupt", "finish"])
    })
  )

  test(
    "so does speech that goes on",
    Effect.gen(function* () {
      const { frame, log } = yield* kit({ busy: true })
      yield* frame(tone(960))
      assert.notInclude(log, "interrupt")
      yield* frame(tone(80))
      assert.deepStrictEqual(log, ["voice.started", "begin", "interrupt"])
    })
  )

  test(
    "what has no words leaves the answer alone, and so does a sign of listening",
    Effect.gen(function* () {
      const { frame, understood, log } = yield* kit({ busy: true })
      for (const text of ["", "Mhm.", "Yeah, yeah."]) {
        yield* frame(tone(400))
        yield* understood(text)
        yield* frame(silence(700))
      }
      const once = ["voice.started", "begin", "drop", "voice.dropped"]
      assert.deepStrictEqual(log, [...once, ...once, ...once])
    })
  )

  test(
    "where the words are not known in time it is a question",
    Effect.gen(function* () {
      const { frame, log } = yield* kit({ busy: true })
      yield* frame(tone(400))
      yield* frame(silence(700))
      assert.deepStrictEqual(log, ["voice.started", "begin", "interrupt", "finish"])
    })
  )

  test(
    "without an answer to interrupt a mhm is an answer",
    Effect.gen(function* () {
      const { frame, understood, log } = yield* kit()
      yield* frame(tone(400))
      yield* understood("Yes.")
      yield* frame(silence(700))
      assert.deepStrictEqual(log, ["voice.started", "begin", "finish"])
    })
  )

  test(
    "hears nothing while it is muted, but lets nobody's sentence be cut in two",
    Effect.gen(function* () {
      const { frame, log, state } = yield* kit()
      state.muted = true
      yield* frame(tone(2_000))
      assert.deepStrictEqual(log, [])
      state.muted = false
      yield* frame(tone(400))
      state.muted = true
      yield* frame(tone(400))
      yield* frame(silence(700))
      assert.deepStrictEqual(log, ["voice.started", "begin", "finish"])
    })
  )

  test(
    "is ready for the next question when one could not be recorded, and after a reset",
    Effect.gen(function* () {
      const full = yield* kit({ full: true })
      assert.strictEqual((yield* Effect.flip(full.frame(tone(400)))).code, "input.invalid")
      assert.deepStrictEqual(full.log, ["voice.started", "begin", "drop", "voice.dropped"])
      const { frame, reset, log } = yield* kit()
      yield* reset
      assert.deepStrictEqual(log, [])
      yield* frame(tone(400))
      yield* reset
      // The rest of the sentence.
      yield* frame(tone(400))
      yield* frame(silence(700))
      assert.deepStrictEqual(log, ["voice.started", "begin", "drop", "voice.dropped"])
      yield* frame(tone(400))
      assert.strictEqual(log.at(-1), "begin")
    })
  )

  it("knows words from signs of listening", () => {
    assert.deepStrictEqual(["", "...", "Mhm, okay.", "Uh-huh", "Ja, genau!", "No.", "okay stop", "¿Qué?"].map(isWords), [
      false,
      false,
      false,
      false,
      false,
      true,
      true,
      true
    ])
  })
})
