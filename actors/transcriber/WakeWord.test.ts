import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type { EventOf, SessionEvent } from "../../contract/Events.ts"
import { defaultSessionConfig } from "../../contract/Session.ts"
import { Blobs } from "../../kernel/Blobs.ts"
import { Settings } from "../../kernel/Settings.ts"
import { testkit, testLayer } from "../../kernel/testkit/Testkit.ts"
import { Engines } from "./Engines.ts"
import { transcriberActor } from "./Transcriber.ts"
import { beginsWith } from "./WakeWord.ts"

const base = { v: 1, mode: "assistant", session: "01ARZ3NDEKTSV4RRFFQ69G5FAV" } as const
const words = (text: string) =>
  text.split(" ").map((word, n) => ({ start: 2_000 + n * 2_000, end: 4_000 + n * 2_000, word: ` ${word}`, probability: 0.9 }))

/** What becomes of a turn in which this is heard, after these events. */
const turn = Effect.fnUntraced(function* (text: string, wakeWord: string, past: ReadonlyArray<SessionEvent> = [], wakeSeconds = 20) {
  const result = {
    words: words(text),
    language: "en",
    languageProbability: 0.95,
    avgLogprob: -0.1,
    noSpeechProbability: 0.02,
    temperature: 0,
    computeMs: 1,
    threads: 1,
    model: "m",
    modelSha256: ""
  }
  const engine = { name: "testkit" as const, pid: () => undefined, prepare: () => Effect.void, transcribe: () => Effect.succeed(result) }
  const engines = Layer.succeed(Engines, Engines.of({ pick: () => Effect.succeed(engine) }))
  const events = yield* Effect.gen(function* () {
    const kit = yield* testkit(transcriberActor)
    yield* Effect.forEach(past, kit.seed)
    const audio = yield* (yield* Blobs).put(base, new Uint8Array(64_000), "audio/x-pcm")
    const event: EventOf<"audio.normalized"> = {
      _tag: "audio.normalized",
      ...base,
      unit: 2,
      start: 0,
      end: 32_000,
      audio,
      speech: [{ start: 2_000, end: 30_000 }],
      speechRatio: 0.9,
      peakDbfs: -12,
      config: { ...defaultSessionConfig, transcriber: { ...defaultSessionConfig.transcriber, wakeWord, wakeSeconds } }
    }
    return (yield* kit.send(event)).events
  }).pipe(Effect.scoped, Effect.provide([engines, Settings.layer({})]), Effect.provide(testLayer))
  const [event] = events
  return event?._tag === "text.rejected" ? `${event.reason} ${event.text}` : event?._tag === "text.transcribed" ? event.text : undefined
})

const heard: SessionEvent = { _tag: "speech.heard", ...base, unit: 1, generation: 0, samples: 10, sentences: 1 }

describe("the wake word", () => {
  it("is found at the beginning, as recognition writes it", () => {
    for (const text of ["Computer, what time is it?", "Okay, Computer!", "Well okay computer.", "Computar, stop.", "computers stop"])
      assert.isTrue(beginsWith(text, "computer"), text)
    for (const text of ["Hey Vox, hello.", "hey, vox", "Héy Vox"]) assert.isTrue(beginsWith(text, "Hey Vox"), text)
  })

  it("is not found anywhere else", () => {
    for (const text of ["", "I said to her: computer, stop.", "Committees are late.", "Vox hey", "Hey box"])
      assert.isFalse(beginsWith(text, text.includes("ox") ? "hey vox" : "computer"), text)
  })

  it.live("lets nothing else through, and keeps none of it", () =>
    Effect.gen(function* () {
      assert.strictEqual(yield* turn("Computer, what time is it?", "computer"), "Computer, what time is it?")
      assert.strictEqual(yield* turn("Did you feed the cat?", "computer"), "no_wake_word ")
      assert.strictEqual(yield* turn("Did you feed the cat?", ""), "Did you feed the cat?")
    })
  )

  it.live("is not needed right after an answer", () =>
    Effect.gen(function* () {
      assert.strictEqual(yield* turn("And tomorrow?", "computer", [heard]), "And tomorrow?")
      assert.strictEqual(yield* turn("And tomorrow?", "computer", [heard], 0), "no_wake_word ")
    })
  )
})
