import { assert, describe, it } from "@effect/vitest"
import type { EventOf } from "../../../contract/Events.ts"
import { defaultSessionConfig as config } from "../../../contract/Session.ts"
import { makeAnswer, type Step } from "./Response.ts"

const session = "01ARZ3NDEKTSV4RRFFQ69G5FAV"
const at = { v: 1, mode: "assistant", session, unit: 3, generation: 2 } as const

const draft = (sentence: number, text: string): EventOf<"reply.drafted"> => ({ _tag: "reply.drafted", ...at, sentence, text, config })
const speech = (sentence: number): EventOf<"speech.synthesized"> => ({
  _tag: "speech.synthesized",
  ...at,
  sentence,
  text: "",
  audio: { sha256: "0".repeat(64), bytes: 2, mediaType: "" },
  sampleRate: 16_000,
  samples: 1,
  engine: "",
  voice: "",
  computeMs: 0
})
const ready = (sentences: number, finish: "stop" | "length" = "stop"): EventOf<"reply.ready"> => ({
  _tag: "reply.ready",
  ...at,
  text: "",
  sentences,
  engine: "",
  model: "",
  contextSha256: "0".repeat(64),
  usage: { promptTokens: 5, completionTokens: 7 },
  firstTokenMs: 0,
  computeMs: 0,
  finish
})

const answer = (text: boolean) =>
  makeAnswer({ response: "resp", item: "item", conversation: "conv", previous: "before" }, { text, voice: "joe" })
const names = (steps: ReadonlyArray<Step>) => steps.map((step) => (step._tag === "send" ? step.event.type : step._tag))
const last = (steps: ReadonlyArray<Step>): any => {
  const step = steps.at(-1)
  return step?._tag === "send" ? step.event : undefined
}

describe("a realtime answer", () => {
  it("is over when the text is whole and every sentence was spoken, whichever comes last", () => {
    const spokenLast = answer(false)
    assert.deepStrictEqual(names(spokenLast.observe(draft(1, "One."))), [
      "response.output_item.added",
      "conversation.item.added",
      "response.content_part.added",
      "response.output_audio_transcript.delta"
    ])
    assert.deepStrictEqual(names(spokenLast.observe(ready(1))), [])
    assert.deepStrictEqual(names(spokenLast.observe(speech(1))), ["speak", "over"])
    const readyLast = answer(false)
    readyLast.observe(draft(1, "One."))
    assert.deepStrictEqual(names(readyLast.observe(speech(1))), ["speak"])
    assert.deepStrictEqual(names(readyLast.observe(ready(1))), ["over"])
    const written = answer(true)
    written.observe(draft(1, "One."))
    assert.deepStrictEqual(names(written.observe(ready(1))), ["over"])
  })

  it("ends once, and hears nothing after that", () => {
    const cut = answer(false)
    cut.observe(draft(1, "One."))
    cut.observe(draft(2, "Two."))
    const steps = cut.end({ status: "cancelled", reason: "turn_detected" })
    assert.deepStrictEqual(names(steps), [
      "response.output_audio.done",
      "response.output_audio_transcript.done",
      "response.content_part.done",
      "response.output_item.done",
      "conversation.item.done",
      "response.done"
    ])
    const { response } = last(steps)
    assert.strictEqual(response.status, "cancelled")
    assert.deepStrictEqual(response.status_details, { type: "cancelled", reason: "turn_detected" })
    assert.strictEqual(response.output[0].content[0].transcript, "One. Two.")
    assert.strictEqual(cut.generation(), 2)
    assert.isTrue(cut.isOver())
    assert.deepStrictEqual(cut.end({ status: "completed" }), [])
    assert.deepStrictEqual(cut.observe(speech(1)), [])
  })

  it("says why it is not whole", () => {
    const failed = answer(false)
    const steps = failed.observe({
      _tag: "error.raised",
      v: 1,
      mode: "assistant",
      session,
      actor: "reasoner",
      unit: 3,
      code: "engine.failed",
      message: "No.",
      recoverable: true,
      cause: "",
      subject: "",
      attempts: 1
    })
    // Nothing was said: there is no item to close.
    assert.deepStrictEqual(names(steps), ["response.done"])
    assert.strictEqual(last(steps).response.status_details.error.code, "engine.failed")
    const long = answer(true)
    long.observe(draft(1, "One."))
    long.observe(ready(1, "length"))
    const { response } = last(long.end({ status: "completed" }))
    assert.deepInclude(response, { status: "incomplete", status_details: { type: "incomplete", reason: "max_output_tokens" } })
    assert.deepStrictEqual(response.usage, { total_tokens: 12, input_tokens: 5, output_tokens: 7 })
  })
})
