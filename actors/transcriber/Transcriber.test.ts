import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type { EventOf } from "../../contract/Events.ts"
import { defaultSessionConfig, type Mode } from "../../contract/Session.ts"
import { Blobs } from "../../kernel/Blobs.ts"
import { type Failure, Retryable, Terminal } from "../../kernel/Failure.ts"
import { Settings } from "../../kernel/Settings.ts"
import { testkit, testLayer } from "../../kernel/testkit/Testkit.ts"
import type { EngineRequest, EngineResult } from "./Engine.ts"
import { Engines } from "./Engines.ts"
import { transcriberActor } from "./Transcriber.ts"

const owner = { session: "01ARZ3NDEKTSV4RRFFQ69G5FAV" } as const

const chunk = (mode: Mode, speechRatio: number) =>
  Effect.gen(function* () {
    const blobs = yield* Blobs
    const audio = yield* blobs.put({ mode, ...owner }, new Uint8Array(64_000), "audio/x-pcm")
    const event: EventOf<"audio.normalized"> = {
      _tag: "audio.normalized",
      v: 1,
      mode,
      ...owner,
      unit: 3,
      start: 160_000,
      end: 192_000,
      audio,
      speech: speechRatio === 0 ? [] : [{ start: 162_000, end: 180_000 }],
      speechRatio,
      peakDbfs: -12,
      config: defaultSessionConfig
    }
    return event
  })

const heard: EngineResult = {
  words: [
    { start: 162_000, end: 166_000, word: " Hello", probability: 0.9 },
    { start: 166_000, end: 170_000, word: " there.", probability: 0.8 }
  ],
  language: "en",
  languageProbability: 0.95,
  avgLogprob: -0.1,
  noSpeechProbability: 0.02,
  temperature: 0,
  computeMs: 12,
  threads: 1,
  model: "whisper-base",
  modelSha256: "abc"
}

/** Sends one chunk to an actor with an engine that answers so. */
const outcome = Effect.fnUntraced(function* (
  mode: Mode,
  speechRatio: number,
  answer: (request: EngineRequest, turn: number) => Effect.Effect<EngineResult, Failure>
) {
  const asked: Array<EngineRequest> = []
  const engine = {
    name: "ctranslate2" as const,
    pid: () => undefined,
    prepare: () => Effect.void,
    transcribe: (request: EngineRequest) => {
      // The warm-up of `prepare` is no request.
      if (request.start === 0) return Effect.succeed(heard)
      asked.push(request)
      return answer(request, asked.length)
    }
  }
  const engines = Layer.succeed(Engines, Engines.of({ pick: () => Effect.succeed(engine) }))
  const result = yield* Effect.gen(function* () {
    const kit = yield* testkit(transcriberActor)
    return yield* kit.send(yield* chunk(mode, speechRatio))
  }).pipe(Effect.scoped, Effect.provide([engines, Settings.layer({})]))
  return { ...result, asked }
})

describe("transcriber", () => {
  it.live("speech becomes text.transcribed on the same unit and span, with what the engine said", () =>
    Effect.gen(function* () {
      const { events, asked } = yield* outcome("call", 0.5, () => Effect.succeed(heard))
      assert.strictEqual(events.length, 1)
      const [event] = events
      assert.isTrue(event?._tag === "text.transcribed")
      if (event?._tag !== "text.transcribed") return
      assert.deepStrictEqual([event.unit, event.start, event.end], [3, 160_000, 192_000])
      assert.strictEqual(event.text, "Hello there.")
      assert.deepStrictEqual(
        event.segments.flatMap((segment) => segment.words.map((word) => [word.word, word.start, word.end])),
        [
          ["Hello", 162_000, 166_000],
          ["there.", 166_000, 170_000]
        ]
      )
      assert.deepStrictEqual([event.engine, event.model, event.modelSha256, event.threads], ["ctranslate2", "whisper-base", "abc", 1])
      assert.strictEqual(asked[0]?.lane, "batch")
      assert.strictEqual(asked[0]?.pcm.length, 64_000)
    }).pipe(Effect.provide(testLayer))
  )

  it.live("a turn of the assistant takes the interactive lane", () =>
    Effect.gen(function* () {
      const { asked } = yield* outcome("assistant", 0.5, () => Effect.succeed(heard))
      assert.strictEqual(asked[0]?.lane, "interactive")
    }).pipe(Effect.provide(testLayer))
  )

  it.live("silence is rejected without asking an engine", () =>
    Effect.gen(function* () {
      const { events, asked } = yield* outcome("call", 0, () => Effect.die("asked"))
      assert.strictEqual(asked.length, 0)
      assert.deepInclude(events[0], { _tag: "text.rejected", reason: "silence", unit: 3, text: "" })
    }).pipe(Effect.provide(testLayer))
  )

  it.live("invented words are rejected, kept in the event", () =>
    Effect.gen(function* () {
      const { events } = yield* outcome("call", 0.5, () =>
        Effect.succeed({ ...heard, words: [{ start: 160_000, end: 170_000, word: " you", probability: 0.2 }], noSpeechProbability: 0.9 })
      )
      assert.deepInclude(events[0], { _tag: "text.rejected", reason: "no_speech", text: "you" })
    }).pipe(Effect.provide(testLayer))
  )

  it.live("an engine that died is asked again", () =>
    Effect.gen(function* () {
      const { events, asked, dead } = yield* outcome("call", 0.5, (_, turn) =>
        turn === 1 ? Effect.fail(new Retryable({ code: "engine.failed", message: "died", delayMs: 1 })) : Effect.succeed(heard)
      )
      assert.strictEqual(asked.length, 2)
      assert.strictEqual(dead, undefined)
      assert.strictEqual(events[0]?._tag, "text.transcribed")
    }).pipe(Effect.provide(testLayer))
  )

  it.live("a model that is not there ends in the dead letters with the command that fetches it", () =>
    Effect.gen(function* () {
      const { events, dead } = yield* outcome("call", 0.5, () =>
        Effect.fail(new Terminal({ code: "model.missing", message: "Run: npx voxbus models fetch whisper-base" }))
      )
      assert.deepStrictEqual(events, [])
      assert.strictEqual(dead?.code, "model.missing")
    }).pipe(Effect.provide(testLayer))
  )
})
