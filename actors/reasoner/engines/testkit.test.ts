import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import { sentences } from "../SentenceStream.ts"
import { testkit } from "./testkit.ts"

const say = (question: string, prefix: string) =>
  sentences(
    testkit
      .reply({ messages: [{ role: "user", content: question }], maxTokens: 200, temperature: 0, model: "", prefix })
      .pipe(Stream.map((part) => (part._tag === "Token" ? part.text : ""))),
    { continues: prefix !== "" }
  ).pipe(Stream.runCollect)

describe("the test kit's reasoner", () => {
  it.effect("answers in one to four sentences, and goes on after any of them as it would have anyway", () =>
    Effect.gen(function* () {
      const lengths = new Set<number>()
      for (let n = 0; n < 60; n += 1) {
        const whole = yield* say(`question ${n}`, "")
        lengths.add(whole.length)
        for (let said = 1; said < whole.length; said += 1) {
          const prefix = whole.slice(0, said).join(" ")
          assert.deepStrictEqual(yield* say(`question ${n}`, prefix), whole.slice(said))
        }
      }
      assert.deepStrictEqual([...lengths].sort(), [1, 2, 3, 4])
    })
  )
})
