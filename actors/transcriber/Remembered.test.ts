/** What was heard before. */
import { assert, describe, it } from "@effect/vitest"
import { defaultSessionConfig } from "../../contract/Session.ts"
import type { EngineRequest } from "./Engine.ts"
import type { Served } from "./Fallback.ts"
import { makeRemembered } from "./Remembered.ts"

const HOUR = 3_600_000
const request: EngineRequest = {
  lane: "batch",
  pcm: new Uint8Array([1, 2, 3, 4]),
  start: 100,
  speech: [{ start: 101, end: 102 }],
  options: defaultSessionConfig.transcriber
}
const served: Served = {
  engine: "test",
  result: {
    words: [{ word: " one", start: 101, end: 102, probability: 1 }],
    language: "en",
    languageProbability: 1,
    avgLogprob: 0,
    noSpeechProbability: 0,
    temperature: 0,
    computeMs: 500,
    threads: 2,
    model: "m",
    modelSha256: ""
  }
}

describe("what was heard before", () => {
  it("is found for the same audio elsewhere on the timeline, as work that cost nothing", () => {
    const memory = makeRemembered()
    memory.keep(request, served, 0, HOUR)
    const found = memory.find({ ...request, start: 1_100, speech: [{ start: 1_101, end: 1_102 }] }, 1, HOUR)
    assert.deepStrictEqual(found?.result.words, [{ word: " one", start: 1_101, end: 1_102, probability: 1 }])
    assert.deepInclude(found?.result, { computeMs: 0, threads: 0, language: "en" })
  })

  it("is not found for other audio, other parameters, after its time, or when it is switched off", () => {
    const memory = makeRemembered()
    memory.keep(request, served, 0, HOUR)
    assert.isUndefined(memory.find({ ...request, pcm: new Uint8Array([1, 2, 3, 5]) }, 1, HOUR))
    assert.isUndefined(memory.find({ ...request, options: { ...request.options, language: "de" } }, 1, HOUR))
    assert.isUndefined(memory.find({ ...request, speech: [] }, 1, HOUR))
    assert.isDefined(memory.find(request, HOUR, HOUR))
    assert.isUndefined(memory.find(request, HOUR + 1, HOUR))
    memory.keep(request, served, 0, HOUR)
    assert.isUndefined(memory.find(request, 1, 0))
    assert.isUndefined(memory.find(request, 1, HOUR), "switching it off forgets")
  })

  it("is bounded", () => {
    const memory = makeRemembered()
    for (let n = 0; n < 150; n += 1) memory.keep({ ...request, pcm: new Uint8Array([n]) }, served, 0, HOUR)
    const left = Array.from({ length: 150 }, (_, n) => memory.find({ ...request, pcm: new Uint8Array([n]) }, 1, HOUR))
    assert.strictEqual(left.filter((each) => each !== undefined).length, 100)
    assert.isUndefined(left[0])
  })
})
