import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { createHash } from "node:crypto"
import { defaultSessionConfig } from "../../../contract/Session.ts"
import { judge } from "../Verdict.ts"
import { testkit } from "./testkit.ts"

const chunk = (seed: number) => {
  const pcm = Buffer.concat(Array.from({ length: 64 }, (_, n) => createHash("sha256").update(`${seed} ${n}`).digest()))
  const start = 4_000
  const speech = [{ start: start + 100, end: start + 900 }]
  return { pcm, start, speech, lane: "batch", options: defaultSessionConfig.transcriber } as const
}

describe("the test kit's transcriber", () => {
  it.effect("is a pure function of the samples, in order, and rejects a share of the chunks", () =>
    Effect.gen(function* () {
      let rejected = 0
      for (let seed = 0; seed < 200; seed += 1) {
        const request = chunk(seed)
        const result = yield* testkit.transcribe(request)
        assert.deepStrictEqual(yield* testkit.transcribe(request), result)
        let at: number = request.start
        for (const word of result.words) {
          assert.isTrue(word.start >= at && word.end > word.start && word.end <= request.start + 1_024)
          at = word.end
        }
        const verdict = judge(result, { speech: request.speech, speechRatio: 0.8 })
        assert.strictEqual(verdict._tag, result.words.length === 0 ? "rejected" : "transcribed")
        if (verdict._tag === "rejected") rejected += 1
        const attentive = { ...request, options: { ...request.options, model: "attentive" } }
        assert.isNotEmpty((yield* testkit.transcribe(attentive)).words)
      }
      assert.isTrue(rejected > 10 && rejected < 50, `${rejected} of 200`)
    })
  )
})
