/** Audio and what was said: from the recording to the words of a chunk or of a turn. */
import * as Schema from "effect/Schema"
import { BlobRef, Count, FrameRange, Ratio, Samples, Unit, base, ofVersion, span } from "./EventBase.ts"
import { SessionConfig } from "./Session.ts"

export const AudioCaptured = Schema.TaggedStruct("audio.captured", {
  ...base,
  unit: Unit,
  audio: Schema.Union([Schema.Struct({ blob: BlobRef }), Schema.Struct({ frames: FrameRange })]),
  /** Container or codec as far as it is known: `file` (to be probed), or `pcm_s16le` for frames. */
  codec: Schema.String,
  /** Hertz and channels of `pcm_s16le`; for a file the decoder finds them. */
  sampleRate: Schema.optionalKey(Schema.Int),
  channels: Schema.optionalKey(Schema.Int),
  /** Samples per channel, where capture knows. */
  samples: Schema.optionalKey(Samples),
  /** Of a live recording: where this span begins on the timeline. What lies between two spans is a gap. */
  start: Schema.optionalKey(Samples),
  /** Of an utterance that was listened to while it came: samples of the timeline to keep after its last word. */
  tail: Schema.optionalKey(Samples),
  config: SessionConfig
})

/** One channel of two is clearly the louder one; 0 is left. */
export const ChannelSpan = Schema.Struct({ ...span, channel: Count })
export type ChannelSpan = typeof ChannelSpan.Type

export const AudioNormalized = Schema.TaggedStruct("audio.normalized", {
  ...base,
  ...span,
  ...ofVersion,
  unit: Unit,
  /** 16 kHz mono `s16le` of exactly `start`..`end`. */
  audio: BlobRef,
  /** Spans with speech inside the chunk, absolute samples. */
  speech: Schema.Array(Schema.Struct(span)),
  speechRatio: Ratio,
  /** Loudest sample, dBFS (0 is full scale, -120 is digital silence). */
  peakDbfs: Schema.Finite,
  /** Of a recording with two channels: who speaks when, absolute samples. */
  channels: Schema.optionalKey(Schema.Array(ChannelSpan)),
  config: SessionConfig
})

/**
 * An utterance so far, at a pause in it: work that may be thrown away begins on it. When nothing was said after the
 * pause, the `audio.normalized` of the turn names the same blob and the work is done already.
 */
export const AudioPreviewed = Schema.TaggedStruct("audio.previewed", {
  ...base,
  ...span,
  /** The turn it will be, if nobody else takes the number. */
  unit: Unit,
  /** The log's number of the last frame in it: grows, and no two previews share it. */
  revision: Count,
  audio: BlobRef,
  speech: Schema.Array(Schema.Struct(span)),
  /** The pause is longer than most within a sentence: this is probably all of it. */
  likely: Schema.Boolean,
  config: SessionConfig
})

/** All audio of a session is in chunks: this many, so long. The bundler waits for it. */
export const AudioCompleted = Schema.TaggedStruct("audio.completed", {
  ...base,
  chunks: Count,
  samples: Samples,
  speechSamples: Samples,
  sourceSampleRate: Schema.Int,
  sourceChannels: Schema.Int,
  /** The source was damaged or cut short; what could be decoded was used. */
  truncated: Schema.optionalKey(Schema.Boolean)
})

export const Word = Schema.Struct({ ...span, word: Schema.String, probability: Ratio })
export type Word = typeof Word.Type

export const Segment = Schema.Struct({
  ...span,
  text: Schema.String,
  words: Schema.Array(Word),
  avgLogprob: Schema.Finite,
  noSpeechProbability: Ratio,
  compressionRatio: Schema.Finite,
  temperature: Schema.Finite,
  speaker: Schema.optionalKey(Schema.String)
})
export type Segment = typeof Segment.Type

const engineFacts = {
  engine: Schema.String,
  model: Schema.String,
  /** SHA-256 of the weights; empty for a remote engine. */
  modelSha256: Schema.String,
  /** Compute time of this unit alone, and the threads it was granted. */
  computeMs: Schema.Finite,
  threads: Count
} as const

export const TextTranscribed = Schema.TaggedStruct("text.transcribed", {
  ...base,
  ...span,
  ...ofVersion,
  ...engineFacts,
  unit: Unit,
  text: Schema.String,
  segments: Schema.Array(Segment),
  language: Schema.String,
  languageProbability: Ratio,
  /** exp(average log probability), 0..1. */
  confidence: Ratio,
  /** Milliseconds of `computeMs` that were spent while the user was still speaking or silent. */
  aheadMs: Schema.optionalKey(Schema.Finite),
  config: SessionConfig
})

export const RejectReason = Schema.Literals(["silence", "no_speech", "repetition", "marker", "prompt", "cancelled", "no_wake_word"])
export type RejectReason = typeof RejectReason.Type

export const TextRejected = Schema.TaggedStruct("text.rejected", {
  ...base,
  ...span,
  ...ofVersion,
  ...engineFacts,
  unit: Unit,
  reason: RejectReason,
  /** What the engine said and was not believed; empty when it was not asked. */
  text: Schema.String
})

export const TextPartial = Schema.TaggedStruct("text.partial", {
  ...base,
  unit: Unit,
  revision: Count,
  text: Schema.String,
  language: Schema.optionalKey(Schema.String),
  /** Probably all that will be said: worth beginning an answer on. */
  likely: Schema.optionalKey(Schema.Boolean),
  config: Schema.optionalKey(SessionConfig)
})
