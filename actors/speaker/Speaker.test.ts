import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import type { EventOf } from "../../contract/Events.ts"
import { defaultSessionConfig } from "../../contract/Session.ts"
import { Blobs } from "../../kernel/Blobs.ts"
import { Terminal } from "../../kernel/Failure.ts"
import { Settings } from "../../kernel/Settings.ts"
import { testkit, testLayer } from "../../kernel/testkit/Testkit.ts"
import type { Engine, SpeechRequest } from "./Engine.ts"
import { Engines } from "./Engines.ts"
import { speakerActor } from "./Speaker.ts"

const base = { v: 1, mode: "assistant", session: "01ARZ3NDEKTSV4RRFFQ69G5FAV", unit: 1 } as const
const drafted = (sentence: number, text: string, generation = 0): EventOf<"reply.drafted"> => ({
  _tag: "reply.drafted",
  ...base,
  sentence,
  text,
  generation,
  config: defaultSessionConfig
})

/** A voice of one sample per character. */
const fake = () => {
  const requests: Array<SpeechRequest> = []
  const engine: Engine = {
    name: "fake",
    prepare: () => Effect.fail(new Terminal({ code: "model.missing", message: "no voice" })),
    synthesize: (request) => {
      requests.push(request)
      return Effect.succeed({
        pcm: Int16Array.from(request.text, (character) => character.charCodeAt(0)),
        sampleRate: 22_050,
        computeMs: 1
      })
    }
  }
  const layer = Layer.mergeAll(testLayer, Settings.layer(), Layer.succeed(Engines, Engines.of({ pick: () => engine })))
  return { requests, layer }
}

describe("speaker", () => {
  it.live("stores the audio of a sentence and says where it is", () => {
    const { layer, requests } = fake()
    return Effect.gen(function* () {
      const kit = yield* testkit(speakerActor)
      const { events } = yield* kit.send(drafted(1, "AB"))
      const event = events[0]
      assert(events.length === 1 && event?._tag === "speech.synthesized")
      assert.deepInclude(event, {
        unit: 1,
        sentence: 1,
        text: "AB",
        samples: 2,
        sampleRate: 22_050,
        engine: "fake",
        voice: "piper-en-us-joe",
        generation: 0
      })
      assert.deepInclude(event.audio, { bytes: 4, mediaType: "audio/x-pcm;rate=22050" })
      const blobs = yield* Blobs
      assert.deepStrictEqual([...(yield* blobs.get(base, event.audio))], [65, 0, 66, 0])
      assert.deepStrictEqual(requests, [{ text: "AB", voice: "piper-en-us-joe", speed: 1 }])
    }).pipe(Effect.scoped, Effect.provide(layer))
  })

  it.live("takes the voice of the answer's language", () => {
    const { layer, requests } = fake()
    const speaker = { ...defaultSessionConfig.speaker, voices: { de: "piper-de" } }
    return Effect.gen(function* () {
      const kit = yield* testkit(speakerActor)
      const config = { ...defaultSessionConfig, speaker }
      yield* kit.send({ ...drafted(1, "A"), config, language: "de" })
      yield* kit.send({ ...drafted(2, "B"), config, language: "fr" })
      assert.deepStrictEqual(
        requests.map(({ voice }) => voice),
        ["piper-de", "piper-en-us-joe"]
      )
    }).pipe(Effect.scoped, Effect.provide(layer))
  })

  it.live("speaks in the order of the answer, whatever comes first", () => {
    const { layer, requests } = fake()
    return Effect.gen(function* () {
      const kit = yield* testkit(speakerActor)
      const second = yield* Effect.forkChild(kit.send(drafted(2, "B")))
      yield* Effect.sleep("50 millis")
      yield* kit.send(drafted(1, "A"))
      yield* Fiber.join(second)
      assert.deepStrictEqual(
        requests.map(({ text }) => text),
        ["A", "B"]
      )
    }).pipe(Effect.scoped, Effect.provide(layer))
  })

  it.live("publishes a sentence without anything to say with no samples", () => {
    const { layer } = fake()
    return Effect.gen(function* () {
      const kit = yield* testkit(speakerActor)
      const { events } = yield* kit.send(drafted(1, ""))
      assert.deepInclude(events[0], { _tag: "speech.synthesized", samples: 0 })
    }).pipe(Effect.scoped, Effect.provide(layer))
  })

  it.live("leaves out what is stale, and only that", () => {
    const { layer, requests } = fake()
    return Effect.gen(function* () {
      const kit = yield* testkit(speakerActor)
      yield* kit.seed({ _tag: "turn.cancelled", ...base, generation: 0, reason: "barge_in" })
      assert.deepStrictEqual(yield* kit.send(drafted(1, "stale")), { events: [] })
      assert.strictEqual((yield* kit.send({ ...drafted(1, "fresh", 1), unit: 2 })).events.length, 1)
      assert.deepStrictEqual(
        requests.map(({ text }) => text),
        ["fresh"]
      )
    }).pipe(Effect.scoped, Effect.provide(layer))
  })
})
