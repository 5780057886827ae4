import { assert, describe, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import { Retryable } from "../../kernel/Failure.ts"
import { makeAhead } from "./Ahead.ts"
import type { EngineResult } from "./Engine.ts"

const result = (text: string): EngineResult => ({
  words: [{ word: text, start: 0, end: 1, probability: 1 }],
  language: "en",
  languageProbability: 1,
  avgLogprob: 0,
  noSpeechProbability: 0,
  temperature: 0,
  computeMs: 60_000,
  threads: 1,
  model: "m",
  modelSha256: ""
})
const computeMs = (of: EngineResult) => of.computeMs
const broken = new Retryable({ code: "engine.failed", message: "No." })

describe("transcriptions ahead", () => {
  it.effect("the turn takes what the pause began, once", () =>
    Effect.gen(function* () {
      const ahead = makeAhead(computeMs)
      let runs = 0
      const work = Effect.sync(() => result(`run ${(runs += 1)}`))
      yield* ahead.begin("a", work)
      yield* ahead.begin("a", work)
      assert.strictEqual(runs, 1)
      const taken = yield* ahead.take("a", work)
      assert.strictEqual(taken.result.words[0]?.word, "run 1")
      assert.isAbove(taken.aheadMs, 0)
      const again = yield* ahead.take("a", work)
      assert.deepStrictEqual([again.result.words[0]?.word, again.aheadMs], ["run 2", 0])
    })
  )

  it.effect("it waits for what is still at work, and does it itself when that fails", () =>
    Effect.gen(function* () {
      const ahead = makeAhead(computeMs)
      const gate = yield* Deferred.make<EngineResult, Retryable>()
      const begun = yield* Effect.forkChild(Effect.exit(ahead.begin("a", Deferred.await(gate))))
      yield* Effect.yieldNow
      const taken = yield* Effect.forkChild(ahead.take("a", Effect.succeed(result("own"))))
      yield* Effect.yieldNow
      yield* Deferred.fail(gate, broken)
      assert.deepStrictEqual((yield* Fiber.join(taken)).result.words[0]?.word, "own")
      assert.strictEqual((yield* Fiber.join(begun))._tag, "Failure")
      assert.strictEqual((yield* ahead.begin("a", Effect.succeed(result("later")))).words[0]?.word, "later")
    })
  )

  it.effect("holds a few and no more", () =>
    Effect.gen(function* () {
      const ahead = makeAhead(computeMs)
      for (let n = 0; n < 20; n += 1) yield* ahead.begin(`${n}`, Effect.succeed(result(`${n}`)))
      assert.strictEqual((yield* ahead.take("0", Effect.succeed(result("own")))).aheadMs, 0)
      assert.isAbove((yield* ahead.take("19", Effect.succeed(result("own")))).aheadMs, 0)
    })
  )
})
