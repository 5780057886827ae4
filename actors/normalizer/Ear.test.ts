import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { TAIL, wholeTurn } from "./Chunker.ts"
import { makeEar, recall, remember } from "./Ear.ts"
import { energyDetector } from "./EnergyVad.ts"
import { Vad } from "./Vad.ts"

const RATE = 16_000
const SESSION = "01ARZ3NDEKTSV4RRFFQ69G5FAV"
const layer = Layer.succeed(Vad, Vad.of({ detector: Effect.sync(energyDetector) }))
const loud = (ms: number) => Int16Array.from({ length: (RATE * ms) / 1000 }, (_, n) => Math.round(8_000 * Math.sin(n / 5)))
const quiet = (ms: number) => new Int16Array((RATE * ms) / 1000)
const bytes = (samples: Int16Array) => new Uint8Array(samples.buffer, samples.byteOffset, samples.byteLength)
const ear = makeEar({ sampleRate: RATE, channels: 1 })

describe("an utterance while it is spoken", () => {
  it.effect("is previewed once at each pause, and is then exactly what the end makes of it", () =>
    Effect.gen(function* () {
      const { push, preview, finish } = yield* ear
      push(bytes(loud(800)))
      assert.isUndefined(preview(), "still speaking")
      push(bytes(quiet(200)))
      const first = preview()
      assert.strictEqual(first?.likely, false)
      assert.isUndefined(preview(), "the same pause")
      push(bytes(quiet(150)))
      assert.deepStrictEqual(preview(), { likely: true, chunk: first?.chunk })
      assert.isUndefined(preview(), "no more")
      push(bytes(loud(400)))
      push(bytes(quiet(120)))
      const second = preview()
      assert.isAbove(second?.chunk.end ?? 0, first?.chunk.end ?? 0)
      push(bytes(quiet(1_500)))
      const heard = finish()
      assert.deepStrictEqual(heard && wholeTurn(heard.samples, heard.spans, TAIL), second?.chunk)
    }).pipe(Effect.scoped, Effect.provide(layer))
  )

  it.effect("hears the same however it is cut, and of another format too", () =>
    Effect.gen(function* () {
      const whole = Int16Array.from([...quiet(300), ...loud(700), ...quiet(400)])
      const one = yield* ear
      one.push(bytes(whole))
      const many = yield* ear
      for (let at = 0; at < whole.length; at += 333) many.push(bytes(whole.slice(at, at + 333)))
      assert.deepStrictEqual(many.finish(), one.finish())
      const stereo = yield* makeEar({ sampleRate: 48_000, channels: 2 })
      for (let n = 0; n < 10; n += 1) stereo.push(bytes(new Int16Array(9_600)))
      assert.approximately(stereo.finish()?.samples.length ?? 0, RATE, 50)
    }).pipe(Effect.scoped, Effect.provide(layer))
  )

  it.effect("of more than a minute is not kept", () =>
    Effect.gen(function* () {
      const long = yield* ear
      for (let n = 0; n < 61; n += 1) long.push(bytes(quiet(1_000)))
      assert.isUndefined(long.preview())
      assert.isUndefined(long.finish())
    }).pipe(Effect.scoped, Effect.provide(layer))
  )

  it("is left for the normalizer once, and only for these frames", () => {
    const heard = { samples: quiet(10), spans: [] }
    const range = { first: 5, last: 9, count: 5 }
    remember(SESSION, range, heard)
    assert.isUndefined(recall(SESSION, { ...range, last: 10 }))
    assert.strictEqual(recall(SESSION, range), heard)
    assert.isUndefined(recall(SESSION, range))
    for (let n = 0; n < 20; n += 1) remember(SESSION, { ...range, first: n }, heard)
    assert.isUndefined(recall(SESSION, { ...range, first: 0 }), "few are kept")
  })
})
