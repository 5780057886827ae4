import { assert, describe, it } from "@effect/vitest"
import { defaultSessionConfig } from "../../contract/Session.ts"
import { type ConversationEvent, messages } from "./Conversation.ts"

const base = { v: 1, mode: "assistant", session: "01ARZ3NDEKTSV4RRFFQ69G5FAV" } as const
const config = defaultSessionConfig

const asked = (unit: number, text: string): ConversationEvent => ({
  _tag: "text.transcribed",
  ...base,
  unit,
  text,
  start: 0,
  end: 0,
  segments: [],
  language: "en",
  languageProbability: 1,
  confidence: 1,
  engine: "typed",
  model: "",
  modelSha256: "",
  computeMs: 0,
  threads: 0,
  config
})
const drafted = (unit: number, sentence: number, text: string): ConversationEvent => ({
  _tag: "reply.drafted",
  ...base,
  unit,
  sentence,
  text,
  generation: 0,
  config
})
const ready = (unit: number, text: string): ConversationEvent => ({
  _tag: "reply.ready",
  ...base,
  unit,
  text,
  sentences: 1,
  engine: "",
  model: "",
  contextSha256: "",
  usage: { promptTokens: 0, completionTokens: 0 },
  firstTokenMs: 0,
  computeMs: 0,
  finish: "stop",
  generation: 0
})
const spoken = (unit: number, sentence: number, samples: number): ConversationEvent => ({
  _tag: "speech.synthesized",
  ...base,
  unit,
  sentence,
  text: "",
  audio: { sha256: "0".repeat(64), bytes: 0, mediaType: "" },
  sampleRate: 22_050,
  samples,
  engine: "",
  voice: "",
  computeMs: 0,
  generation: 0
})
const played = (tag: "speech.heard" | "speech.interrupted", unit: number, sentences: number, samples: number): ConversationEvent => ({
  _tag: tag,
  ...base,
  unit,
  generation: 0,
  sentences,
  samples
})
const cancelled = (unit: number): ConversationEvent => ({ _tag: "turn.cancelled", ...base, unit, generation: 0, reason: "barge_in" })

const fold = (events: ReadonlyArray<ConversationEvent>, exchanges = 10) =>
  messages(events, { unit: 9, question: "now", systemPrompt: "be brief", exchanges })
    .slice(1)
    .map(({ role, content }) => `${role}: ${content}`)

const answer = [
  drafted(1, 1, "one two three four."),
  drafted(1, 2, "five six seven eight."),
  ready(1, "one two three four. five six seven eight.")
]
const voice = [spoken(1, 1, 1000), spoken(1, 2, 2000)]

describe("conversation", () => {
  it("begins with the system prompt and ends with the question", () => {
    assert.deepStrictEqual(messages([], { unit: 1, question: "hi", systemPrompt: "be brief", exchanges: 10 }), [
      { role: "system", content: "be brief" },
      { role: "user", content: "hi" }
    ])
    assert.deepStrictEqual(messages([], { unit: 1, question: "hi", systemPrompt: "", exchanges: 10 }), [{ role: "user", content: "hi" }])
  })

  it("takes the whole answer where no player said anything", () => {
    assert.deepStrictEqual(fold([asked(1, "first"), ...answer, ...voice]), [
      "user: first",
      "assistant: one two three four. five six seven eight.",
      "user: now"
    ])
  })

  it("takes what was heard: whole sentences and a share of the next", () => {
    const heard = (sentences: number, samples: number) =>
      fold([asked(1, "first"), ...answer, ...voice, cancelled(1), played("speech.interrupted", 1, sentences, samples)])
    assert.deepStrictEqual(heard(1, 2000), ["user: first", "assistant: one two three four. five six", "user: now"])
    assert.deepStrictEqual(heard(1, 1000), ["user: first", "assistant: one two three four.", "user: now"])
    assert.deepStrictEqual(heard(2, 3000), ["user: first", "assistant: one two three four. five six seven eight.", "user: now"])
    assert.deepStrictEqual(heard(0, 499), ["user: first", "assistant: one", "user: now"])
  })

  it("takes nothing of an answer of which nothing was heard", () => {
    assert.deepStrictEqual(fold([asked(1, "first"), ...answer, ...voice, played("speech.interrupted", 1, 0, 0)]), ["user: first\nnow"])
    assert.deepStrictEqual(fold([asked(1, "first"), ...answer, ...voice, cancelled(1)]), ["user: first\nnow"])
  })

  it("takes the furthest report of the player", () => {
    const events = [asked(1, "first"), ...answer, ...voice, played("speech.heard", 1, 2, 3000), played("speech.interrupted", 1, 1, 1000)]
    assert.deepStrictEqual(fold(events)[1], "assistant: one two three four. five six seven eight.")
  })

  it("sends the last exchanges only, in order, and nothing of later turns", () => {
    const events = [3, 1, 2, 4, 9, 10].flatMap((unit) => [asked(unit, `q${unit}`), ready(unit, `a${unit}`)])
    assert.deepStrictEqual(fold(events, 2), ["user: q3", "assistant: a3", "user: q4", "assistant: a4", "user: now"])
    assert.deepStrictEqual(fold(events, 0), ["user: now"])
  })
})
