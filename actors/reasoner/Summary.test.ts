import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Stream from "effect/Stream"
import type { EventOf, Segment, Transcript } from "../../contract/Events.ts"
import { defaultSessionConfig, type SessionConfig } from "../../contract/Session.ts"
import { Blobs } from "../../kernel/Blobs.ts"
import { load, Settings } from "../../kernel/Settings.ts"
import { testkit, testLayer } from "../../kernel/testkit/Testkit.ts"
import type { Engine, ReplyRequest } from "./Engine.ts"
import { Engines } from "./Engines.ts"
import { Speculation } from "./Speculation.ts"
import { reasonerActor } from "./Reasoner.ts"
import { Toolbox } from "./Toolbox.ts"
import { parseSummary, partsOf, unrepeated } from "./Summary.ts"

const settings = Layer.provideMerge(Toolbox.layer, Layer.effect(Settings, load({})))
const base = { v: 1, mode: "call", session: "01JDABCDEFGHJKMNPQRSTVWXYZ" } as const

const segment = (text: string, speaker: string): Segment => ({
  start: 0,
  end: 1,
  text,
  words: [],
  avgLogprob: 0,
  noSpeechProbability: 0,
  compressionRatio: 1,
  temperature: 0,
  speaker
})

const transcript = (segments: ReadonlyArray<Segment>): Transcript => ({
  session: base.session,
  version: 1,
  title: "T",
  startedAt: "2026-11-24T10:00:00Z",
  language: "en",
  samples: 16_000,
  text: segments.map(({ text }) => text).join(" "),
  segments,
  coverage: { speechSamples: 1, transcribedSamples: 1, ratio: 1, gaps: [] },
  engine: "",
  model: "",
  modelSha256: ""
})

const opened = (config: SessionConfig): EventOf<"session.opened"> => ({
  _tag: "session.opened",
  ...base,
  title: "T",
  source: { kind: "file", name: "x.wav" },
  config,
  at: "2026-11-24T10:00:00Z"
})

const NOTES =
  "**SUMMARY:** They talk about a printer.\nACTION ITEMS:\n- Ann: call the technician\n2) Bob: wait\nKEYWORDS: printer, technician."

const engineOf = (windowTokens: number) => {
  const requests: Array<ReplyRequest> = []
  const engine: Engine = {
    name: "fake",
    windowTokens,
    prepare: Effect.void,
    shape: (messages) => Effect.succeed(messages),
    reply: (request) => {
      requests.push(request)
      const text = request.messages[1]?.content.startsWith("Write notes") === true ? NOTES : "A part."
      return Stream.make(
        { _tag: "Token", text },
        { _tag: "Done", model: "m", finish: "stop", usage: { promptTokens: 2, completionTokens: 3 } }
      )
    }
  }
  return { requests, layer: Layer.merge(Speculation.layer, Layer.succeed(Engines, Engines.of({ pick: () => engine }))) }
}

const completed = (of: Transcript) =>
  Effect.gen(function* () {
    const blobs = yield* Blobs
    const event: EventOf<"transcript.completed"> = {
      _tag: "transcript.completed",
      ...base,
      version: 1,
      transcript: yield* blobs.put(base, new TextEncoder().encode(JSON.stringify(of)), "application/json"),
      language: "en",
      samples: 1,
      segments: of.segments.length,
      words: 10,
      coverage: of.coverage
    }
    return event
  })

describe("a summary", () => {
  it.live("is made when the session wants one, and marked as generated", () => {
    const { layer, requests } = engineOf(8_000)
    return Effect.gen(function* () {
      const kit = yield* testkit(reasonerActor)
      yield* kit.seed(opened({ ...defaultSessionConfig, afterCall: { summarize: true } }))
      const { events } = yield* kit.send(yield* completed(transcript([segment("The printer is broken.", "Ann"), segment("Oh.", "Bob")])))
      const [ready] = events
      assert.deepInclude(ready, { _tag: "reply.ready", kind: "summary", unit: 1, model: "m" })
      assert.deepStrictEqual(ready?._tag === "reply.ready" && ready.summary, {
        summary: "They talk about a printer.",
        actionItems: ["Ann: call the technician", "Bob: wait"],
        keywords: ["printer", "technician"]
      })
      assert.include(requests[0]?.messages[1]?.content, "Ann: The printer is broken.\nBob: Oh.")
    }).pipe(Effect.scoped, Effect.provide(Layer.mergeAll(testLayer, layer, settings)))
  })

  it.live("is not made by itself, but on request, in parts that fit the window", () => {
    const { layer, requests } = engineOf(1_000)
    return Effect.gen(function* () {
      const kit = yield* testkit(reasonerActor)
      yield* kit.seed(opened(defaultSessionConfig))
      const long = Array.from({ length: 100 }, (_, index) => segment(`Sentence ${index} of a long call.`, index % 2 === 0 ? "Ann" : "Bob"))
      assert.isEmpty((yield* kit.send(yield* completed(transcript(long)))).events)
      const request = { _tag: "reply.requested", ...base, unit: 2, kind: "summary", by: "test", config: defaultSessionConfig } as const
      const { events } = yield* kit.send(request)
      assert.strictEqual(events.length, 1)
      assert.isAbove(requests.length, 2)
      for (const { messages } of requests)
        assert.isAtMost(
          messages.reduce((sum, { content }) => sum + content.length, 0),
          3 * 920
        )
      assert.deepInclude(events[0], { unit: 2, usage: { promptTokens: 2 * requests.length, completionTokens: 3 * requests.length } })
    }).pipe(Effect.scoped, Effect.provide(Layer.mergeAll(testLayer, layer, settings)))
  })

  it("takes apart what models write, and keeps what does not follow the form", () => {
    assert.deepStrictEqual(parseSummary("They met.\n"), { summary: "They met.", actionItems: [], keywords: [] })
    assert.deepStrictEqual(parseSummary("SUMMARY: Short.\nACTION ITEMS:\n- none\nKEYWORDS: a, b"), {
      summary: "Short.",
      actionItems: [],
      keywords: ["a", "b"]
    })
    assert.deepStrictEqual(parseSummary(""), { summary: "", actionItems: [], keywords: [] })
  })

  it("ends where a model goes round in circles", () => {
    assert.strictEqual(unrepeated("It is late. It rains. It is late. It is cold."), "It is late. It rains. It is cold.")
    assert.strictEqual(unrepeated(`The call ends ${"and it goes on and ".repeat(9)}`), "The call ends and it goes on and")
    assert.strictEqual(unrepeated("SUMMARY: a, b.\nKEYWORDS: x, x"), "SUMMARY: a, b.\nKEYWORDS: x, x")
  })

  it("cuts text into parts without losing a character", () => {
    const lines = ["a".repeat(25), "b", "c".repeat(9)]
    const parts = partsOf(lines, 10)
    assert.isTrue(parts.every((part) => part.length <= 10))
    assert.strictEqual(parts.join("").replaceAll("\n", ""), lines.join(""))
  })
})
