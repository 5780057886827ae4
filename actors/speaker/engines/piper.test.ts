import { assert, layer } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { Cores } from "../../../kernel/Cores.ts"
import { Models } from "../../../kernel/Models.ts"
import { Settings } from "../../../kernel/Settings.ts"
import { Engines, synthesize } from "../Engines.ts"

const VOICE = "piper-en-us-joe"
const SENTENCE = "The capital of France is Paris."

/** Grants the threads a test asks for, and counts what is out. */
const books = { grant: 1, out: 0, leases: 0 }
const cores = Layer.succeed(
  Cores,
  Cores.of({
    total: 2,
    lease: (request, use) =>
      Effect.acquireUseRelease(
        Effect.sync(() => {
          const threads = Math.min(request.want, books.grant)
          books.out += threads
          books.leases += 1
          return threads
        }),
        (threads) => use({ threads, shrink: () => Effect.void }),
        (threads) => Effect.sync(() => void (books.out -= threads))
      )
  })
)
const engines = Engines.layer.pipe(Layer.provide(Layer.mergeAll(Models.layer, cores)), Layer.provide(Settings.layer()))

layer(engines)("piper-local", (it) => {
  it.effect("speaks a sentence, audible from the beginning", () =>
    Effect.gen(function* () {
      yield* (yield* Engines).pick("piper-local").prepare(VOICE)
      const { pcm, sampleRate } = yield* synthesize(SENTENCE)
      assert.strictEqual(sampleRate, 22_050)
      assert.isTrue(pcm.length > 1.2 * sampleRate && pcm.length < 3 * sampleRate, `${pcm.length} samples`)
      assert.isTrue(pcm.subarray(0, 0.021 * sampleRate).some((sample) => Math.abs(sample) >= 320))
      assert.isTrue(pcm.some((sample) => Math.abs(sample) > 5_000))
      assert.strictEqual(books.out, 0)
    })
  )

  it.effect("speaks with two threads too", () =>
    Effect.gen(function* () {
      books.grant = 2
      const { pcm } = yield* synthesize("Yes.")
      books.grant = 1
      assert.isTrue(pcm.length > 5_000)
    })
  )

  it.effect("speaks faster when asked", () =>
    Effect.gen(function* () {
      const normal = yield* synthesize(SENTENCE)
      const fast = yield* synthesize(SENTENCE, VOICE, 1.6)
      assert.isTrue(fast.pcm.length < 0.8 * normal.pcm.length)
    })
  )

  it.effect("has nothing to say to an ellipsis, an emoji or nothing, and takes no cores for it", () =>
    Effect.gen(function* () {
      const leases = books.leases
      for (const text of ["...", "👍", "", " \n"]) {
        const { pcm, sampleRate } = yield* synthesize(text)
        assert.strictEqual(pcm.length, 0)
        assert.strictEqual(sampleRate, 22_050)
      }
      assert.strictEqual(books.leases, leases)
    })
  )

  it.effect("names the command that fetches a voice that is not there", () =>
    Effect.gen(function* () {
      const failure = yield* Effect.flip(synthesize(SENTENCE, "no-such-voice"))
      assert.deepInclude(failure, { _tag: "Terminal", code: "model.missing" })
    })
  )
})
