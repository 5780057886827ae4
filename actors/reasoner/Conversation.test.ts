import { assert, describe, it } from "@effect/vitest"
import { defaultSessionConfig } from "../../contract/Session.ts"
import { typedText } from "../../kernel/TypedText.ts"
import { type ConversationEvent, merged, messages } from "./Conversation.ts"
import { withoutTools } from "./Engine.ts"

const base = { v: 1, mode: "assistant", session: "01ARZ3NDEKTSV4RRFFQ69G5FAV" } as const
const config = defaultSessionConfig

const asked = (unit: number, text: string): ConversationEvent => ({ ...typedText({ ...base, config }, unit, text), language: "en" })
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

  it("forgets what was cleared, and only that", () => {
    const events: ReadonlyArray<ConversationEvent> = [
      asked(1, "One?"),
      ready(1, "One."),
      asked(2, "Two?"),
      ready(2, "Two."),
      { _tag: "session.cleared", ...base, through: 1, reason: "user", by: "owner" }
    ]
    assert.deepStrictEqual(
      messages(events, { unit: 3, question: "Three?", systemPrompt: "", exchanges: 10 }).map(({ content }) => content),
      ["Two?", "Two.", "Three?"]
    )
  })

  it("keeps what tools were asked and said, a result for every call, also of an answer that nobody heard", () => {
    const call = (number: number, round: number): ConversationEvent => ({
      _tag: "tool.called",
      ...base,
      unit: 1,
      call: number,
      round,
      id: `c${number}`,
      name: "current_time",
      arguments: "{}",
      generation: 0
    })
    const result: ConversationEvent = {
      _tag: "tool.finished",
      ...base,
      unit: 1,
      call: 1,
      id: "c1",
      name: "current_time",
      ok: true,
      result: "noon",
      computeMs: 1,
      generation: 0
    }
    const sent = messages([asked(1, "Time?"), call(1, 1), call(2, 1), result, call(3, 2), cancelled(1)], {
      unit: 2,
      question: "And now?",
      systemPrompt: "s",
      exchanges: 10
    })
    const toolCalls = (...numbers: ReadonlyArray<number>) => numbers.map((n) => ({ id: `c${n}`, name: "current_time", arguments: "{}" }))
    assert.deepStrictEqual(sent, [
      { role: "system", content: "s" },
      { role: "user", content: "Time?" },
      { role: "assistant", content: "", toolCalls: toolCalls(1, 2) },
      { role: "tool", content: "noon", toolCallId: "c1" },
      { role: "tool", content: "It is not known what came of this.", toolCallId: "c2" },
      { role: "assistant", content: "", toolCalls: toolCalls(3) },
      { role: "tool", content: "It is not known what came of this.", toolCallId: "c3" },
      { role: "user", content: "And now?" }
    ])
    // A model without tools sees a conversation without them.
    assert.deepStrictEqual(
      merged(withoutTools(sent)).map(({ role, content }) => `${role} ${content}`),
      ["system s", "user Time?\nAnd now?"]
    )
  })
})
