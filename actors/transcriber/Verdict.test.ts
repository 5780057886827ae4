import { assert, describe, it } from "@effect/vitest"
import type { RejectReason } from "../../contract/Events.ts"
import type { EngineResult } from "./Engine.ts"
import { judge } from "./Verdict.ts"

/** A result with these words spread evenly over `seconds`. */
const result = (text: string, facts: Partial<EngineResult>, seconds: number): EngineResult => {
  const pieces = text.match(/\s*\S+/g) ?? []
  const step = Math.floor((seconds * 16_000) / Math.max(1, pieces.length))
  return {
    words: pieces.map((word, i) => ({ start: i * step, end: (i + 1) * step, word, probability: 0.9 })),
    language: "en",
    languageProbability: 0.97,
    avgLogprob: -0.2,
    noSpeechProbability: 0.05,
    temperature: 0,
    computeMs: 100,
    threads: 1,
    model: "whisper-base",
    modelSha256: "",
    ...facts
  }
}

interface Case {
  readonly name: string
  readonly text: string
  readonly facts?: Partial<EngineResult>
  /** Detected speech and length of the chunk, seconds. */
  readonly speech?: number
  readonly length?: number
  readonly reason?: RejectReason
}

const LOOP = " Thank you so much for coming.".repeat(12)
const TWO_CITIES =
  " It was the best of times, it was the worst of times, it was the age of wisdom, it was the age of foolishness, it was the epoch of belief, it was the epoch of incredulity, it was the season of light, it was the season of darkness, it was the spring of hope, it was the winter of despair, we had everything before us, we had nothing before us."

const cases: ReadonlyArray<Case> = [
  // Speech stays, however short.
  { name: "yes", text: " Yes.", facts: { avgLogprob: -0.75, noSpeechProbability: 0.25 }, speech: 0.4, length: 1 },
  { name: "stop", text: " Stop.", facts: { avgLogprob: -0.93, noSpeechProbability: 0.1 }, speech: 0.4, length: 1 },
  { name: "a real thank you", text: " Thank you.", facts: { noSpeechProbability: 0.01 }, speech: 0.6, length: 1.2 },
  { name: "a real bye at the end of a quiet chunk", text: " Bye.", facts: { noSpeechProbability: 0.3 }, speech: 0.5, length: 20 },
  { name: "unsure of speech, sure of the words", text: " It was the worst.", facts: { noSpeechProbability: 0.7 }, speech: 2, length: 3 },
  { name: "oratory", text: TWO_CITIES, facts: { avgLogprob: -0.05 }, speech: 25, length: 28 },
  { name: "a telephone number", text: " Call (555) 123-4567.", speech: 2, length: 3 },
  { name: "counting", text: " one two three four five six seven eight nine ten eleven twelve", speech: 6, length: 7 },
  // What Whisper invents, as it was measured on zeros, noise and tones.
  { name: "nothing was detected", text: " you", facts: { avgLogprob: -0.61, noSpeechProbability: 0.89 }, speech: 0, reason: "silence" },
  {
    name: "digital silence",
    text: " you",
    facts: { avgLogprob: -0.44, noSpeechProbability: 0.94 },
    speech: 28,
    length: 28,
    reason: "no_speech"
  },
  { name: "noise", text: " 1,5 cm.", facts: { avgLogprob: -1.55, noSpeechProbability: 0.83 }, speech: 2, length: 2, reason: "no_speech" },
  {
    name: "a chord",
    text: " This is the first time I've ever seen this.",
    facts: { avgLogprob: -1.61, noSpeechProbability: 0.61 },
    speech: 10,
    length: 10,
    reason: "no_speech"
  },
  { name: "a melody", text: ` ${"1 oz. 2 oz. ".repeat(6)}`, facts: { avgLogprob: -0.59 }, speech: 28, length: 28, reason: "repetition" },
  {
    name: "noise as numbers",
    text: ` ${"4-4-3-6-8-".repeat(12)}`,
    facts: { avgLogprob: -0.13 },
    speech: 10,
    length: 10,
    reason: "repetition"
  },
  { name: "a loop", text: LOOP, facts: { avgLogprob: -0.1 }, speech: 20, length: 28, reason: "repetition" },
  { name: "a click", text: " Thanks for watching!", facts: { avgLogprob: -0.75 }, speech: 0.1, length: 10, reason: "no_speech" },
  {
    name: "a credit",
    text: " Subtitles by the Amara.org community",
    facts: { noSpeechProbability: 0.85 },
    speech: 3,
    length: 9,
    reason: "no_speech"
  },
  {
    name: "one phrase in 12 s by an engine that does not say",
    text: " you you You",
    facts: { noSpeechProbability: 0 },
    speech: 12,
    length: 12,
    reason: "no_speech"
  },
  { name: "the same phrase in a second", text: " Thank you.", facts: { noSpeechProbability: 0 }, speech: 1, length: 2 },
  { name: "only a marker", text: " [BLANK_AUDIO]", speech: 3, length: 5, reason: "marker" },
  { name: "only notes", text: " ♪♪", speech: 3, length: 5, reason: "marker" },
  { name: "no words at all", text: "", speech: 3, length: 5, reason: "no_speech" },
  { name: "only dots", text: " ...", speech: 3, length: 5, reason: "no_speech" }
]

describe("judge", () => {
  for (const { name, text, facts = {}, speech = 1, length = 2, reason } of cases) {
    it(`${name}: ${reason ?? "transcribed"}`, () => {
      const spans = speech === 0 ? [] : [{ start: 0, end: Math.round(speech * 16_000) }]
      const verdict = judge(result(text, facts, length), { speech: spans, speechRatio: Math.min(1, speech / length) })
      assert.strictEqual(verdict._tag === "rejected" ? verdict.reason : undefined, reason)
      if (verdict._tag === "rejected") assert.strictEqual(verdict.text, text.trim(), "what was said is kept")
      else assert.isAbove(verdict.segments.length, 0)
    })
  }

  it("the prompt read out is not speech where nobody is sure, and is where somebody says it", () => {
    const said = " Kubernetes, Grafana and Prometheus."
    const heard = { speech: [{ start: 0, end: 48_000 }], speechRatio: 1, prompt: "Names: Kubernetes, Grafana and Prometheus." }
    assert.deepInclude(judge(result(said, { noSpeechProbability: 0.5 }, 3), heard), { _tag: "rejected", reason: "prompt" })
    assert.strictEqual(judge(result(said, {}, 3), heard)._tag, "transcribed")
    assert.strictEqual(judge(result(" Grafana is down.", { noSpeechProbability: 0.5 }, 3), heard)._tag, "transcribed")
  })

  it("a marker between words is not shown, the words are", () => {
    const verdict = judge(result(" Hello [Music] world.", {}, 3), { speech: [{ start: 0, end: 48_000 }], speechRatio: 1 })
    assert.strictEqual(verdict.text, "Hello world.")
    assert.strictEqual(verdict._tag === "transcribed" ? verdict.segments.map((segment) => segment.text).join(" ") : "", "Hello world.")
  })

  it("confidence is the probability of the average token", () => {
    const verdict = judge(result(" Hello.", { avgLogprob: Math.log(0.8) }, 1), { speech: [{ start: 0, end: 16_000 }], speechRatio: 1 })
    assert.approximately(verdict._tag === "transcribed" ? verdict.confidence : 0, 0.8, 1e-9)
  })
})
