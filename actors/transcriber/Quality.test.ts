/**
 * What is not speech gives no words, by the real engines: silence, noise, hum, a ringing telephone, music. Each signal is
 * told to be speech from end to end, as if the voice activity detector had been fooled, which is the worst case.
 */
import { assert, describe, layer } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { defaultSessionConfig } from "../../contract/Session.ts"
import { Models } from "../../kernel/Models.ts"
import { Settings } from "../../kernel/Settings.ts"
import { freeCores } from "../../kernel/testkit/Testkit.ts"
import { Engines } from "./Engines.ts"
import { judge } from "./Verdict.ts"

const RATE = 16_000
const SECONDS = 12
const SLOW = 120_000

/** Random numbers that are the same every time, -1..1. */
const noise = (seed: number) => {
  let state = seed
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state / 2 ** 31 - 1
  }
}
const wave = (hertz: number, t: number) => Math.sin(2 * Math.PI * hertz * t)
const make = (amplitude: number, value: (t: number, i: number) => number) =>
  Int16Array.from({ length: SECONDS * RATE }, (_, i) => Math.round(32_767 * amplitude * value(i / RATE, i)))

const NOTES = [262, 330, 392, 523, 440, 349, 294, 392]
const hiss = noise(1)
const rumble = noise(2)
let brown = 0

/** Hold music: a melody with harmonics and decay over a chord, and a beat. */
const music = make(0.25, (t) => {
  const beat = t * 2.5
  const note = NOTES[Math.floor(beat) % NOTES.length] ?? 262
  const decay = Math.exp(-3 * (beat % 1))
  const melody = decay * (wave(note, t) + 0.5 * wave(2 * note, t) + 0.25 * wave(3 * note, t))
  const chord = 0.3 * (wave(131, t) + wave(165, t) + wave(196, t))
  return (melody + chord) / 2.5
})

const signals: ReadonlyArray<readonly [name: string, samples: Int16Array]> = [
  ["digital silence", make(0, () => 0)],
  ["quiet noise", make(0.003, hiss)],
  ["loud white noise", make(0.3, hiss)],
  [
    "rumble",
    make(0.5, () => {
      brown = 0.98 * brown + 0.02 * rumble()
      return 4 * brown
    })
  ],
  ["mains hum", make(0.2, (t) => 0.8 * wave(50, t) + 0.2 * wave(150, t))],
  ["a ringing telephone", make(0.3, (t) => (t % 6 < 2 ? (wave(440, t) + wave(480, t)) / 2 : 0))],
  ["hold music", music]
]

const base = Engines.layer.pipe(Layer.provideMerge(Layer.mergeAll(Models.layer, freeCores(2))), Layer.provideMerge(Settings.layer({})))

const fooling = ["digital silence", "mains hum"]

for (const [engine, model, chosen] of [
  ["ctranslate2", "whisper-tiny.en", signals],
  ["ctranslate2", "whisper-base", signals],
  // Slower, and does not say how probable "no speech" is: what fooled it once.
  ["whisper.cpp", "whisper-tiny.en", signals.filter(([name]) => fooling.includes(name))]
] as const) {
  describe(`${engine}, ${model}`, () => {
    layer(base, { excludeTestServices: true, timeout: SLOW })((it) => {
      for (const [name, samples] of chosen) {
        it.effect(
          `${name} gives no words, and says why`,
          () =>
            Effect.gen(function* () {
              const options = { ...defaultSessionConfig.transcriber, engine, model }
              const speech = [{ start: 0, end: samples.length }]
              const recogniser = yield* (yield* Engines).pick(options)
              const result = yield* recogniser.transcribe({ lane: "batch", pcm: new Uint8Array(samples.buffer), start: 0, speech, options })
              const verdict = judge(result, { speech, speechRatio: 1 })
              const facts = JSON.stringify({ ...result, words: result.words.length, modelSha256: "" })
              assert.strictEqual(verdict._tag, "rejected", `${verdict.text} ${facts}`)
            }),
          SLOW
        )
      }
    })
  })
}
