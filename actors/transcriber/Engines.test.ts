/**
 * Both engines on real models and generated speech. What one says may differ from run to run, because the voice draws
 * its intonation at random; what an engine makes of the same samples may not.
 */
import { assert, describe, layer } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Schedule from "effect/Schedule"
import { defaultSessionConfig } from "../../contract/Session.ts"
import { Models } from "../../kernel/Models.ts"
import { Settings } from "../../kernel/Settings.ts"
import { loadSherpa } from "../../kernel/Sherpa.ts"
import { freeCores } from "../../kernel/testkit/Testkit.ts"
import { wordErrorRate } from "../../kernel/testkit/WordErrors.ts"
import type { EngineRequest } from "./Engine.ts"
import { Engines } from "./Engines.ts"
import { judge } from "./Verdict.ts"

const QUESTION = "What is the capital of France?"
const STORY = "The train leaves at seven. We have to be there early, because the tickets are not paid for."
const SLOW = 120_000

/** Generated speech at 16 kHz with 0.3 s of silence around it. */
const say = Effect.fnUntraced(function* (text: string) {
  const voice = yield* (yield* Models).locate("piper-en-us-joe")
  const vits = { model: voice.path("model"), tokens: voice.path("tokens"), dataDir: voice.path("espeak") }
  const tts = new (loadSherpa().OfflineTts)({ model: { vits, numThreads: 1, provider: "cpu", debug: false }, maxNumSentences: 1 })
  const { samples, sampleRate } = yield* Effect.promise(() => tts.generateAsync({ text, sid: 0, speed: 1 }))
  const length = Math.floor((samples.length * 16_000) / sampleRate)
  const edge = 4_800
  return Int16Array.from({ length: length + 2 * edge }, (_, i) =>
    Math.round((samples[Math.floor(((i - edge) * sampleRate) / 16_000)] ?? 0) * 32_767)
  )
})

const options = { ...defaultSessionConfig.transcriber, language: "en" }
const request = (samples: Int16Array, lane: EngineRequest["lane"], more: Partial<EngineRequest> = {}): EngineRequest => ({
  lane,
  pcm: new Uint8Array(samples.buffer),
  start: 32_000,
  speech: [{ start: 32_000, end: 32_000 + samples.length }],
  options,
  ...more
})
const textOf = (words: ReadonlyArray<{ readonly word: string }>) => words.map((word) => word.word).join("")
const base = Engines.layer.pipe(Layer.provideMerge(Layer.mergeAll(Models.layer, freeCores(2))), Layer.provide(Settings.layer({})))

const engines = [
  { engine: "ctranslate2", model: "whisper-base" },
  { engine: "whisper.cpp", model: "whisper-tiny.en" }
] as const

for (const { engine: name, model } of engines) {
  const chosen = { ...options, engine: name, model }
  describe(name, () => {
    layer(base, { excludeTestServices: true, timeout: SLOW })((it) => {
      const pick = Effect.flatMap(Engines, (engines) => engines.pick(chosen))

      it.effect(
        "hears an utterance: text, and words in order inside it on the absolute timeline",
        () =>
          Effect.gen(function* () {
            const engine = yield* pick
            const samples = yield* say(QUESTION)
            const result = yield* engine.transcribe(request(samples, "interactive", { options: chosen }))
            assert.strictEqual(wordErrorRate(QUESTION, textOf(result.words)), 0)
            assert.strictEqual(result.language, "en")
            assert.isBelow(result.avgLogprob, 0)
            assert.match(result.modelSha256, /^[0-9a-f]{64}$/)
            let at = 32_000
            for (const word of result.words) {
              assert.isAtLeast(word.start, at)
              assert.isAtLeast(word.end, word.start)
              assert.isTrue(Number.isInteger(word.start) && Number.isInteger(word.end))
              assert.isTrue(word.probability > 0 && word.probability <= 1)
              at = word.start
            }
            assert.isAtMost(at, 32_000 + samples.length)
          }),
        SLOW
      )

      it.effect(
        "what it makes of silence, noise and a chord is rejected, even where they are taken for speech",
        () =>
          Effect.gen(function* () {
            const engine = yield* pick
            const sounds = [
              () => 0,
              (i: number) => ((Math.sin(i * 12.9898 + i * i * 0.0137) * 43_758.5453) % 1) * 6_000,
              (i: number) => [220, 277, 330].reduce((sum, f) => sum + Math.sin((2 * Math.PI * f * i) / 16_000), 0) * 3_000
            ]
            for (const sound of sounds) {
              const samples = Int16Array.from({ length: 80_000 }, (_, i) => Math.round(sound(i)))
              const asked = request(samples, "batch", { options: chosen })
              const verdict = judge(yield* engine.transcribe(asked), { speech: asked.speech, speechRatio: 1 })
              assert.strictEqual(verdict._tag, "rejected", verdict.text)
            }
          }),
        SLOW
      )

      it.effect(
        "the same samples give the same result, alone and among others",
        () =>
          Effect.gen(function* () {
            const engine = yield* pick
            const clips = yield* Effect.forEach([STORY, QUESTION, "Good morning, how are you?"], say)
            const ask = (samples: Int16Array) => engine.transcribe(request(samples, "batch", { options: chosen }))
            const alone = yield* Effect.forEach(clips, ask)
            const together = yield* Effect.forEach(clips, ask, { concurrency: "unbounded" })
            const facts = (results: typeof alone) => results.map((result) => ({ ...result, computeMs: 0 }))
            assert.deepStrictEqual(facts(together), facts(alone))
            assert.isBelow(wordErrorRate(STORY, textOf(alone[0]?.words ?? [])), 0.2)
          }),
        SLOW
      )

      it.effect(
        "a process killed in mid-request fails it as retryable; the next one has its answer from a new process",
        () =>
          Effect.gen(function* () {
            const engine = yield* pick
            const samples = yield* say(QUESTION)
            const asked = request(samples, "interactive", { options: chosen })
            const before = yield* engine.transcribe(asked)
            const pid = engine.pid()
            const waiting = yield* Effect.forkChild(Effect.flip(engine.transcribe(asked)), { startImmediately: true })
            yield* Effect.sleep(20)
            if (pid !== undefined) process.kill(pid, "SIGKILL")
            const failure = yield* Fiber.join(waiting)
            assert.strictEqual(failure._tag, "Retryable")
            const after = yield* engine.transcribe(asked).pipe(Effect.retry({ times: 3, schedule: Schedule.spaced("100 millis") }))
            assert.deepStrictEqual(after.words, before.words)
            assert.notStrictEqual(engine.pid(), pid)
          }),
        SLOW
      )

      if (name === "whisper.cpp")
        it.effect(
          "takes the widest beam and the most candidates that the settings allow, which are more than whisper.cpp has decoders for",
          () =>
            Effect.gen(function* () {
              const engine = yield* pick
              const widest = { ...chosen, beamSize: 10, bestOf: 10 }
              const { words } = yield* engine.transcribe(request(yield* say(QUESTION), "batch", { options: widest }))
              assert.strictEqual(wordErrorRate(QUESTION, textOf(words)), 0)
            }),
          SLOW
        )
    })
  })
}

describe("Engines", () => {
  layer(base, { excludeTestServices: true })((it) => {
    it.effect("auto is ctranslate2 where it is set up, and names the model that nobody has", () =>
      Effect.gen(function* () {
        const { pick } = yield* Engines
        assert.strictEqual((yield* pick({ engine: "auto", model: "whisper-base" })).name, "ctranslate2")
        const failure = yield* Effect.flip(pick({ engine: "auto", model: "whisper-none" }))
        assert.match(failure.message, /fetch whisper-none/)
      })
    )

    it.effect("a language the model does not know is the caller's mistake", () =>
      Effect.gen(function* () {
        const { pick } = yield* Engines
        const engine = yield* pick({ engine: "ctranslate2", model: "whisper-base" })
        const asked = request(new Int16Array(16_000), "interactive", { options: { ...options, language: "xx" } })
        assert.strictEqual((yield* Effect.flip(engine.transcribe(asked)))._tag, "Terminal")
      })
    )
  })
})
