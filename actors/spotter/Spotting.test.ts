import { assert, describe, layer, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import type { EventOf, Segment } from "../../contract/Events.ts"
import { defaultSessionConfig } from "../../contract/Session.ts"
import { testkit, testLayer } from "../../kernel/testkit/Testkit.ts"
import { spotterActor } from "./index.ts"
import { spot } from "./Spotting.ts"

const segment = (text: string, start: number): Segment => ({
  start,
  end: start + 100,
  text,
  words: [],
  avgLogprob: 0,
  noSpeechProbability: 0,
  compressionRatio: 1,
  temperature: 0
})
const SAID = [segment("The café was closed, technically. Cancel the", 0), segment("contract, please. Cancelled!", 200)]
const found = (...keywords: ReadonlyArray<string>) => spot(SAID, keywords).map(({ keyword, start }) => `${keyword}@${start}`)

describe("keywords", () => {
  it("are found without case and accents, as whole words, as beginnings and across segments", () => {
    assert.deepStrictEqual(found("CAFE", "cancel"), ["CAFE@0", "cancel@0"])
    assert.deepStrictEqual(found("tech"), [])
    assert.deepStrictEqual(found("tech*"), ["tech*@0"])
    assert.deepStrictEqual(found("cancel the contract"), ["cancel the contract@0"])
    assert.deepStrictEqual(found("cancel*"), ["cancel*@0", "cancel*@200"])
    assert.deepStrictEqual(found("...", " ", "(["), [])
    assert.deepStrictEqual(
      spot([segment("我想取消合同", 0)], ["取消"]).map(({ keyword }) => keyword),
      ["取消"]
    )
  })
})

layer(testLayer, { excludeTestServices: true })((it) => {
  it.effect("are published with a number of their own, and nothing without a list", () =>
    Effect.gen(function* () {
      const kit = yield* testkit(spotterActor)
      const event = (unit: number, keywords: ReadonlyArray<string>): EventOf<"text.transcribed"> => ({
        _tag: "text.transcribed",
        v: 1,
        mode: "call",
        session: "01JDABCDEFGHJKMNPQRSTVWXYZ",
        unit,
        start: 0,
        end: 300,
        engine: "",
        model: "",
        modelSha256: "",
        computeMs: 0,
        threads: 1,
        text: "",
        segments: SAID,
        language: "en",
        languageProbability: 1,
        confidence: 1,
        config: { ...defaultSessionConfig, keywords }
      })
      const { events } = yield* kit.send(event(1, ["cancel*", "café"]))
      assert.deepStrictEqual(
        events.map((each) => (each._tag === "keyword.spotted" ? [each.unit, each.number, each.keyword] : [])),
        [
          [1, 1, "cancel*"],
          [1, 2, "café"],
          [1, 3, "cancel*"]
        ]
      )
      assert.isEmpty((yield* kit.send(event(2, []))).events)
    })
  )
})
