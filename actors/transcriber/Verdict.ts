/**
 * Speech, or not? One pure function for every engine: a chunk becomes segments, or is rejected with a reason.
 *
 * Whisper invents text for silence, noise and music, mostly the same few phrases. It is caught by what the decoder says
 * (probabilities), what it wrote (markers, loops) and what the voice activity detector heard; a phrase alone proves
 * nothing, people do say "Thank you." What is rejected stays in the event, never shown as words.
 */
import type { RejectReason, Segment } from "../../contract/Events.ts"
import type { EngineResult, Span } from "./Engine.ts"
import { compressionRatio, loopShare, segmentsOf, snap, textOf, variety, withoutMarkers } from "./Words.ts"

export interface Heard {
  /** Detected speech on the session's timeline. */
  readonly speech: ReadonlyArray<Span>
  /** Detected speech by length of the chunk, 0..1. */
  readonly speechRatio: number
  /** What the decoder was given to expect. */
  readonly prompt?: string
}

export type Verdict =
  | { readonly _tag: "transcribed"; readonly text: string; readonly segments: ReadonlyArray<Segment>; readonly confidence: number }
  | { readonly _tag: "rejected"; readonly reason: RejectReason; readonly text: string }

/** What Whisper's training data puts where nobody speaks: ends of videos, credits of subtitles. */
const PHRASES = new Set([
  "you",
  "bye",
  "bye bye",
  "thank you",
  "thank you very much",
  "thank you so much",
  "thanks for watching",
  "thank you for watching",
  "please subscribe",
  "subtitles by the amara org community",
  "i ll see you next time",
  "see you next time",
  "oh",
  "so",
  "the end",
  "i m sorry"
])
const plain = (text: string): string =>
  text
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N}]+/gu, " ")
    .trim()

/** Three words and more that are all in the prompt, in this order: the decoder read it out. */
const readsOut = (text: string, prompt: string): boolean =>
  plain(text).split(" ").length >= 3 && ` ${plain(prompt)} `.includes(` ${plain(text)} `)

/** Whisper's own threshold for "no speech", and its threshold for "improbable". */
const NO_SPEECH = 0.6
const IMPROBABLE = -1
/** Below this nothing a person would recognise comes out. */
const GARBLED = -1.5
/** Detected speech that is rather a click or a breath: 0.25 s, or 5 % of the chunk. */
const A_CLICK = 4_000
const LITTLE = 0.05
/** Detected speech, 4 s, in which people say more than a phrase, and the words a second that are fewer than anybody's. */
const A_LOT = 64_000
const SPARSE = 0.6
/** A text that says everything three times has more than this. So do good orators: it needs a loop to go with it. */
const LOOPING = 2.4
/** Fewer different words than one in four, in a text of 20 and more, is a stuck decoder on noise. */
const MONOTONOUS = 0.25

/** Why the words are not to be believed, if they are not. */
const doubt = (text: string, words: ReadonlyArray<string>, result: EngineResult, heard: Heard): RejectReason | undefined => {
  const compression = compressionRatio(text)
  if (loopShare(words) > 0.5 && compression > LOOPING) return "repetition"
  if (text.length >= 60 && variety(text) < MONOTONOUS && compression > 2) return "repetition"
  const { avgLogprob, noSpeechProbability } = result
  if (avgLogprob < GARBLED) return "no_speech"
  if (noSpeechProbability > NO_SPEECH && avgLogprob < IMPROBABLE) return "no_speech"
  const detected = heard.speech.reduce((sum, span) => sum + span.end - span.start, 0)
  const little = detected < A_CLICK || heard.speechRatio < LITTLE
  if (little && (noSpeechProbability > NO_SPEECH || avgLogprob < -0.7)) return "no_speech"
  const plainWords = plain(text).split(" ")
  const phrase = PHRASES.has(plain(text)) || PHRASES.has([...new Set(plainWords)].join(" "))
  // An engine that says nothing of "no speech" (0) is caught by how little it made of so much.
  if (phrase && noSpeechProbability === 0 && detected > A_LOT && (plainWords.length * 16_000) / detected < SPARSE) return "no_speech"
  const unsure = noSpeechProbability > 0.3 || avgLogprob < -0.6
  if (readsOut(text, heard.prompt ?? "") && (unsure || little)) return "prompt"
  if (!phrase) return undefined
  if ((little && unsure) || noSpeechProbability > 0.8 || (noSpeechProbability > NO_SPEECH && avgLogprob < -0.5)) return "no_speech"
  return undefined
}

export const judge = (result: EngineResult, heard: Heard): Verdict => {
  const said = textOf(result.words)
  if (heard.speechRatio === 0) return { _tag: "rejected", reason: "silence", text: said }
  const kept = withoutMarkers(result.words)
  const text = textOf(kept)
  if (text === "") return { _tag: "rejected", reason: /[\p{L}\p{N}♪♫]/u.test(said) ? "marker" : "no_speech", text: said }
  const reason = doubt(
    text,
    kept.map((word) => word.word),
    result,
    heard
  )
  if (reason !== undefined) return { _tag: "rejected", reason, text: said }
  const segments = segmentsOf(snap(kept, heard.speech), {
    avgLogprob: result.avgLogprob,
    noSpeechProbability: result.noSpeechProbability,
    compressionRatio: compressionRatio(text),
    temperature: result.temperature
  })
  return { _tag: "transcribed", text, segments, confidence: Math.min(1, Math.exp(result.avgLogprob)) }
}
