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

const base = { v: 1, mode: "call", ...owner } as const
const pinnedTo = (language: string, unit: number): EventOf<"language.pinned"> => ({
  _tag: "language.pinned",
  ...base,
  language,
  probability: 0.9,
  unit
})

/** One chunk after these events of the call, with an engine that hears what `answer` says. */
const afterwards = Effect.fnUntraced(function* (
  past: ReadonlyArray<EventOf<"language.pinned" | "job.cancelled">>,
  change: (event: EventOf<"audio.normalized">) => EventOf<"audio.normalized">,
  answer: (request: EngineRequest, name: string) => Effect.Effect<EngineResult, Failure>
) {
  const asked: Array<string> = []
  const engine = (name: "ctranslate2" | "whisper.cpp") => ({
    name,
    pid: () => undefined,
    prepare: () => Effect.void,
    transcribe: (request: EngineRequest) => {
      if (request.start === 0) return Effect.succeed(heard)
      asked.push(`${name} ${request.options.language}`)
      return answer(request, name)
    }
  })
  const engines = Engines.of({ pick: ({ engine: name }) => Effect.succeed(engine(name === "whisper.cpp" ? name : "ctranslate2")) })
  const result = yield* Effect.gen(function* () {
    const kit = yield* testkit(transcriberActor)
    yield* Effect.forEach(past, kit.seed)
    return yield* kit.send(change(yield* chunk("call", 0.5)))
  }).pipe(Effect.scoped, Effect.provide([Layer.succeed(Engines, engines), Settings.layer({})]))
  return { ...result, asked }
})

const long = (event: EventOf<"audio.normalized">) => ({ ...event, end: 640_000, speech: [{ start: 162_000, end: 600_000 }] })

describe("the language of a call", () => {
  const in_ = (language: string) => () => Effect.succeed({ ...heard, language })

  it.live("is pinned by the first chunk that is sure", () =>
    Effect.gen(function* () {
      const { events, asked } = yield* afterwards([], long, in_("de"))
      assert.deepStrictEqual(asked, ["ctranslate2 auto"])
      assert.deepStrictEqual(
        events.map((event) => event._tag),
        ["language.pinned", "text.transcribed"]
      )
      assert.deepInclude(events[0], { language: "de", unit: 3, probability: 0.95 })
    }).pipe(Effect.provide(testLayer))
  )

  it.live("is not pinned by a second of speech, nor by a guess", () =>
    Effect.gen(function* () {
      const brief = yield* afterwards([], (event) => event, in_("de"))
      assert.deepStrictEqual(
        brief.events.map((event) => event._tag),
        ["text.transcribed"]
      )
    }).pipe(Effect.provide(testLayer))
  )

  it.live("is not pinned by a guess", () =>
    Effect.gen(function* () {
      const unsure = yield* afterwards([], long, () => Effect.succeed({ ...heard, language: "cy", languageProbability: 0.4 }))
      assert.deepStrictEqual(
        unsure.events.map((event) => event._tag),
        ["text.transcribed"]
      )
    }).pipe(Effect.provide(testLayer))
  )

  it.live("is that of the pin for every later chunk", () =>
    Effect.gen(function* () {
      const { events, asked } = yield* afterwards([pinnedTo("de", 1)], long, (request) =>
        Effect.succeed({ ...heard, language: request.options.language })
      )
      assert.deepStrictEqual(asked, ["ctranslate2 de"])
      assert.deepStrictEqual(
        events.map((event) => event._tag),
        ["text.transcribed"]
      )
      assert.deepInclude(events[0], { language: "de" })
    }).pipe(Effect.provide(testLayer))
  )

  it.live("is detected anew in each chunk when that is asked for", () =>
    Effect.gen(function* () {
      const perChunk = (event: EventOf<"audio.normalized">) => ({
        ...long(event),
        config: { ...event.config, transcriber: { ...event.config.transcriber, languageDetection: "chunk" as const } }
      })
      const { events, asked } = yield* afterwards([pinnedTo("de", 1)], perChunk, in_("fr"))
      assert.deepStrictEqual(asked, ["ctranslate2 auto"])
      assert.deepInclude(events[0], { _tag: "text.transcribed", language: "fr" })
    }).pipe(Effect.provide(testLayer))
  )

  it.live("a chunk that died after its pin still ends in its words", () =>
    Effect.gen(function* () {
      const { events } = yield* afterwards([pinnedTo("de", 3)], long, in_("de"))
      assert.deepStrictEqual(
        events.map((event) => event._tag),
        ["text.transcribed"]
      )
    }).pipe(Effect.provide(testLayer))
  )
})

describe("a chunk of a call", () => {
  it.live("is not transcribed when nobody wants it any more", () =>
    Effect.gen(function* () {
      const { events, asked } = yield* afterwards([{ _tag: "job.cancelled", ...base }], long, () => Effect.die("asked"))
      assert.deepStrictEqual(asked, [])
      assert.deepInclude(events[0], { _tag: "text.rejected", reason: "cancelled" })
    }).pipe(Effect.provide(testLayer))
  )

  it.live("is done by the same engine when its process died, and by the other when it fails again: the event says by which", () =>
    Effect.gen(function* () {
      const { events, asked, dead } = yield* afterwards([], long, (_, name) =>
        name === "ctranslate2" ? Effect.fail(new Retryable({ code: "engine.failed", message: "died" })) : Effect.succeed(heard)
      )
      assert.deepStrictEqual(asked, ["ctranslate2 auto", "ctranslate2 auto", "whisper.cpp auto"])
      assert.strictEqual(dead, undefined)
      assert.deepInclude(events.at(-1), { _tag: "text.transcribed", engine: "whisper.cpp" })
    }).pipe(Effect.provide(testLayer))
  )

  it.live("is not done by another engine than the one that was named", () =>
    Effect.gen(function* () {
      const named = (event: EventOf<"audio.normalized">) => ({
        ...event,
        config: { ...event.config, transcriber: { ...event.config.transcriber, engine: "ctranslate2" as const } }
      })
      const { asked, dead } = yield* afterwards([], named, () =>
        Effect.fail(new Terminal({ code: "model.missing", message: "Run: npx voxbus models fetch whisper-base" }))
      )
      assert.deepStrictEqual(asked, ["ctranslate2 auto"])
      assert.strictEqual(dead?.code, "model.missing")
    }).pipe(Effect.provide(testLayer))
  )
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
        turn <= 2 ? Effect.fail(new Retryable({ code: "engine.failed", message: "died", delayMs: 1 })) : Effect.succeed(heard)
      )
      assert.strictEqual(asked.length, 3, "by both engines, then again by the first")
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
