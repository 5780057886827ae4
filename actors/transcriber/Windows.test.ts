import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { defaultSessionConfig } from "../../contract/Session.ts"
import { type Engine, type EngineRequest, LONGEST } from "./Engine.ts"
import { cut, transcribe } from "./Windows.ts"

const seconds = (value: number) => value * 16_000

describe("cut", () => {
  it("what fits is one piece", () => {
    assert.deepStrictEqual(cut(5, 5 + LONGEST, []), [{ start: 5, end: 5 + LONGEST }])
  })

  it("cuts in the middle of the longest silence of the last 10 s", () => {
    const speech = [
      { start: 0, end: seconds(19) },
      { start: seconds(20), end: seconds(25) },
      { start: seconds(25.2), end: seconds(50) }
    ]
    assert.deepStrictEqual(cut(0, seconds(50), speech), [
      { start: 0, end: seconds(19.5) },
      { start: seconds(19.5), end: seconds(47.5) },
      { start: seconds(47.5), end: seconds(50) }
    ])
  })

  it("pieces follow each other without a gap and none is longer than the window, whatever the speech", () => {
    for (const every of [0.7, 3, 11, 45]) {
      const speech = Array.from({ length: Math.floor(200 / every) }, (_, i) => ({
        start: seconds(i * every),
        end: seconds(i * every + every * 0.8)
      }))
      const pieces = cut(0, seconds(200), speech)
      pieces.forEach((piece, i) => {
        assert.strictEqual(piece.start, pieces[i - 1]?.end ?? 0)
        assert.isAtMost(piece.end - piece.start, LONGEST)
        assert.isAbove(piece.end, piece.start)
      })
      assert.strictEqual(pieces.at(-1)?.end, seconds(200))
    }
  })
})

describe("transcribe", () => {
  it.effect("gives each piece its own audio and speech, and joins what comes", () =>
    Effect.gen(function* () {
      const asked: Array<EngineRequest> = []
      const engine: Engine = {
        name: "ctranslate2",
        pid: () => undefined,
        prepare: () => Effect.void,
        transcribe: (request) => {
          asked.push(request)
          return Effect.succeed({
            words: [{ start: request.start, end: request.start + 10, word: ` ${asked.length}`, probability: 1 }],
            language: "en",
            languageProbability: 1,
            avgLogprob: -asked.length,
            noSpeechProbability: asked.length / 10,
            temperature: 0,
            computeMs: 10,
            threads: 1,
            model: "m",
            modelSha256: ""
          })
        }
      }
      const start = 1_000
      const pcm = new Uint8Array(Int16Array.from({ length: seconds(40) }, (_, i) => i % 30_000).buffer)
      const speech = [
        { start, end: start + seconds(24) },
        { start: start + seconds(26), end: start + seconds(40) }
      ]
      const joined = yield* transcribe(engine, { lane: "interactive", pcm, start, speech, options: defaultSessionConfig.transcriber })
      assert.deepStrictEqual(
        asked.map((request) => [request.start, request.pcm.length / 2, request.speech.length]),
        [
          [start, seconds(25), 1],
          [start + seconds(25), seconds(15), 1]
        ]
      )
      assert.deepStrictEqual(Buffer.concat(asked.map((request) => request.pcm)), Buffer.from(pcm))
      assert.deepStrictEqual(
        joined.words.map((word) => word.word),
        [" 1", " 2"]
      )
      assert.deepStrictEqual([joined.avgLogprob, joined.noSpeechProbability, joined.computeMs], [-1.5, 0.1, 20])
    })
  )
})
