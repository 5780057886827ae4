/** The client's view of a turn, from events alone. */
import { assert, describe, it } from "@effect/vitest"
import type { ErrorRaised, Event, SessionEvent } from "../contract/Events.ts"
import { defaultSessionConfig as config } from "../contract/Session.ts"
import { type Action, makeTurns } from "./Turns.ts"

const at = (unit: number) => ({ v: 1, mode: "assistant", session: "01ARZ3NDEKTSV4RRFFQ69G5FAV", unit }) as const
const engine = { engine: "e", model: "m", modelSha256: "", computeMs: 1, threads: 1 } as const

const captured = (unit: number): SessionEvent => ({
  _tag: "audio.captured",
  ...at(unit),
  audio: { frames: { first: 1, last: 1, count: 1 } },
  codec: "pcm_s16le",
  config
})
const transcribed = (unit: number): SessionEvent => ({
  _tag: "text.transcribed",
  ...at(unit),
  ...engine,
  start: 0,
  end: 1,
  text: "Hi",
  segments: [],
  language: "en",
  languageProbability: 1,
  confidence: 1,
  config
})
const drafted = (unit: number, sentence: number, generation = 0): SessionEvent => ({
  _tag: "reply.drafted",
  ...at(unit),
  sentence,
  text: `s${sentence}`,
  generation,
  config
})
const ready = (unit: number, sentences: number, generation = 0): SessionEvent => ({
  _tag: "reply.ready",
  ...at(unit),
  text: "all",
  sentences,
  engine: "e",
  model: "m",
  contextSha256: "",
  usage: { promptTokens: 0, completionTokens: 0 },
  firstTokenMs: 1,
  computeMs: 1,
  finish: "stop",
  generation
})
const spoken = (unit: number, sentence: number, generation = 0): Extract<Event, { _tag: "speech.synthesized" }> => ({
  _tag: "speech.synthesized",
  ...at(unit),
  sentence,
  text: "s",
  audio: { sha256: "0".repeat(64), bytes: 2, mediaType: "audio/pcm" },
  sampleRate: 22_050,
  samples: 1,
  engine: "e",
  voice: "v",
  computeMs: 1,
  generation
})
const cancelled = (unit: number, generation: number): SessionEvent => ({
  _tag: "turn.cancelled",
  ...at(unit),
  generation,
  reason: "barge_in"
})
const failed = (unit: number, subject: string): typeof ErrorRaised.Type => ({
  _tag: "error.raised",
  ...at(unit),
  actor: "a",
  code: "engine.failed",
  message: "No.",
  recoverable: true,
  cause: "ASSISTANT:1",
  subject,
  attempts: 5
})

/** `speech.done 1`, `SPEAKING 1`, `speak 1.2`: what happened, short enough to compare. */
const short = (action: Action): string => {
  if (action._tag === "speak") return `speak ${action.speech.unit}.${action.speech.sentence}`
  const { message } = action
  const turn = "turn" in message ? ` ${message.turn}` : ""
  return message.type === "turn" ? `${message.state}${turn}` : `${message.type}${turn}`
}

const kit = () => {
  const turns = makeTurns()
  return { turns, see: (...events: ReadonlyArray<SessionEvent>) => events.flatMap((event) => turns.observe(event, 1_000)).map(short) }
}

describe("Turns", () => {
  it("tells a turn from the first event to the last", () => {
    const { see } = kit()
    assert.deepStrictEqual(see(captured(1), transcribed(1), drafted(1, 1), spoken(1, 1), ready(1, 1)), [
      "TRANSCRIBING 1",
      "transcript 1",
      "THINKING 1",
      "reply 1",
      "SPEAKING 1",
      "speak 1.1",
      "reply.done 1",
      "speech.done 1"
    ])
  })

  it("speaks in order whatever comes first, and ends once", () => {
    const { see } = kit()
    assert.deepStrictEqual(see(spoken(1, 3), ready(1, 3), spoken(1, 2)), ["reply.done 1"])
    assert.deepStrictEqual(see(spoken(1, 1)), ["SPEAKING 1", "speak 1.1", "speak 1.2", "speak 1.3", "speech.done 1"])
    assert.deepStrictEqual(see(spoken(1, 3), spoken(1, 1)), [])
  })

  it("is idle at once when there is nothing to hear", () => {
    const { see } = kit()
    assert.deepStrictEqual(see(transcribed(1), ready(1, 0)), ["transcript 1", "THINKING 1", "reply.done 1", "speech.done 1", "IDLE 1"])
  })

  it("ends the speech, not the text, at a sentence that could not be spoken", () => {
    const { see } = kit()
    see(transcribed(1), drafted(1, 1), spoken(1, 1), drafted(1, 2), drafted(1, 3))
    assert.deepStrictEqual(see(failed(1, "reply.drafted.assistant.S.000001.000002"), spoken(1, 3)), ["error 1"])
    assert.deepStrictEqual(see(ready(1, 3)), ["reply.done 1", "speech.done 1"])
  })

  it("lets what was drafted be spoken when the rest of the reply failed", () => {
    const { see } = kit()
    see(transcribed(1), drafted(1, 1))
    assert.deepStrictEqual(see(failed(1, "text.transcribed.assistant.S.000001")), ["error 1"])
    assert.deepStrictEqual(see(spoken(1, 1)), ["SPEAKING 1", "speak 1.1", "speech.done 1"])
    assert.deepStrictEqual(see(transcribed(2), failed(2, "text.transcribed.assistant.S.000002")), [
      "transcript 2",
      "THINKING 2",
      "error 2",
      "IDLE 2"
    ])
  })

  it("drops a cancelled generation and takes a newer one", () => {
    const { see, turns } = kit()
    see(transcribed(1), drafted(1, 1), spoken(1, 1))
    assert.deepStrictEqual(see(cancelled(1, 0), spoken(1, 2), ready(1, 2)), ["IDLE 1"])
    assert.isTrue(turns.isStale(1, 0))
    assert.deepStrictEqual(see(spoken(1, 1, 1), ready(1, 1, 1)), ["SPEAKING 1", "speak 1.1", "reply.done 1", "speech.done 1"])
    assert.deepStrictEqual(see(spoken(1, 2, 0)), [])
  })

  it("cancels the generation that the reply has, or will have", () => {
    const { see, turns } = kit()
    see(transcribed(1), drafted(1, 1, 0))
    assert.strictEqual(turns.cancel(1).generation, 0)
    see(transcribed(2))
    const second = turns.cancel(2)
    assert.strictEqual(second.generation, 1)
    assert.deepStrictEqual(second.actions.map(short), ["IDLE 2"])
    assert.deepStrictEqual(see(drafted(2, 1, 1), spoken(2, 1, 1), ready(2, 1, 1), failed(2, "reply.drafted.x")), [])
  })

  it("gives up a silent turn once, and takes it up again when it goes on", () => {
    const { see, turns } = kit()
    see(transcribed(1))
    assert.deepStrictEqual(turns.stalled(1_000 + 29_999, 30_000), [])
    assert.deepStrictEqual(turns.stalled(1_000 + 30_000, 30_000).map(short), ["error 1", "IDLE 1"])
    assert.deepStrictEqual(turns.stalled(99_000, 30_000), [])
    assert.deepStrictEqual(see(spoken(1, 1), ready(1, 1)), ["SPEAKING 1", "speak 1.1", "reply.done 1", "speech.done 1"])
    // All was handed out: how long it is played is the client's affair.
    assert.deepStrictEqual(turns.stalled(999_000, 30_000), [])
    assert.deepStrictEqual(turns.played(1).map(short), ["IDLE 1"])
  })

  it("knows turns that were captured and no others", () => {
    const { turns } = kit()
    turns.begin(3, 0)
    assert.deepStrictEqual([0, 1, 3, 4].map(turns.knows), [false, true, true, false])
  })

  it("shows what is understood of an open question, and makes no turn of it", () => {
    const { see, turns } = kit()
    const partial = (unit: number, text: string): SessionEvent => ({ _tag: "text.partial", ...at(unit), revision: 7, text })
    assert.deepStrictEqual(see(partial(1, "What is"), partial(1, "")), ["partial 1"])
    assert.deepStrictEqual([turns.knows(1), turns.active()], [false, []])
    assert.deepStrictEqual(see(captured(1), partial(1, "What is the"), transcribed(1), partial(1, "late")), [
      "TRANSCRIBING 1",
      "partial 1",
      "transcript 1",
      "THINKING 1"
    ])
    turns.cancel(1)
    assert.deepStrictEqual(see(partial(1, "What")), [])
  })

  it("gives up a turn of which nothing is heard at all; one of the past is not waited for", () => {
    const { turns } = kit()
    turns.begin(1, 1_000, true)
    turns.begin(2, 1_000)
    assert.deepStrictEqual(turns.active(), [2])
    assert.deepStrictEqual(turns.stalled(31_000, 30_000).map(short), ["error 2"])
    assert.deepStrictEqual([turns.stalled(99_000, 30_000), turns.active()], [[], []])
  })

  it("knows which turns are not over, and which can be heard", () => {
    const { see, turns } = kit()
    see(transcribed(1), drafted(1, 1), spoken(1, 1), transcribed(2))
    assert.deepStrictEqual([turns.active(), turns.isAudible(1), turns.isAudible(2)], [[1, 2], true, false])
    turns.played(1)
    turns.cancel(2)
    assert.deepStrictEqual([turns.active(), turns.isAudible(1)], [[], false])
  })
})
