/**
 * Every event on the bus.
 *
 * One `Schema.TaggedStruct` per event; `_tag` is `<noun>.<verb>` and is also the head of the subject. `v` is the version
 * of the body: adding an optional field keeps it, anything else makes a new one. Positions are integer samples on the
 * session's absolute 16 kHz timeline; `end` is exclusive. Durations named `...Ms` are milliseconds.
 */
import * as Schema from "effect/Schema"
import { ErrorCode } from "./Errors.ts"
import { Mode, SessionConfig, SessionId, TicketId } from "./Session.ts"

/** Hertz of the absolute timeline. */
export const TIMELINE_RATE = 16_000

export const Samples = Schema.Int.check(Schema.isGreaterThanOrEqualTo(0))
const Count = Schema.Int.check(Schema.isGreaterThanOrEqualTo(0))
const Ratio = Schema.Finite.check(Schema.isBetween({ minimum: 0, maximum: 1 }))
const Sha256 = Schema.String.check(Schema.isPattern(/^[0-9a-f]{64}$/))
/** Number of a chunk (call) or of a turn (assistant), from 1. */
const Unit = Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 999_999 }))

/** Bytes in the blob store, of the same mode and session as the event that names them. */
export const BlobRef = Schema.Struct({ sha256: Sha256, bytes: Count, mediaType: Schema.String })
export type BlobRef = typeof BlobRef.Type

/** Frames `first`..`last` (stream sequences, inclusive) of the session's frames subject. */
export const FrameRange = Schema.Struct({ first: Count, last: Count, count: Count })
export type FrameRange = typeof FrameRange.Type

const base = { v: Schema.Literal(1), mode: Mode, session: SessionId } as const
const span = { start: Samples, end: Samples } as const

export const Source = Schema.Struct({
  kind: Schema.Literals(["file", "browser", "stdin", "text"]),
  /** File name without its folder, or the name of the device: structure, shown to people. */
  name: Schema.String
})

export const JobQueued = Schema.TaggedStruct("job.queued", {
  ...base,
  kind: Schema.Literals(["import", "ask"]),
  /** Absolute path of the file on the host of the capture actor. */
  path: Schema.optionalKey(Schema.String),
  /** A typed question, in place of audio (kind `ask`). */
  text: Schema.optionalKey(Schema.String.check(Schema.isMaxLength(20_000))),
  title: Schema.String,
  ticket: Schema.optionalKey(TicketId),
  config: SessionConfig
})

export const SessionOpened = Schema.TaggedStruct("session.opened", {
  ...base,
  title: Schema.String,
  ticket: Schema.optionalKey(TicketId),
  source: Source,
  config: SessionConfig,
  /** When the session began, ISO 8601. */
  at: Schema.String
})

export const SessionClosed = Schema.TaggedStruct("session.closed", {
  ...base,
  reason: Schema.Literals(["complete", "stopped", "cancelled", "interrupted"]),
  /** How many `audio.captured` the session has. */
  captured: Count
})

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
  config: SessionConfig
})

export const AudioNormalized = Schema.TaggedStruct("audio.normalized", {
  ...base,
  ...span,
  unit: Unit,
  /** 16 kHz mono `s16le` of exactly `start`..`end`. */
  audio: BlobRef,
  /** Spans with speech inside the chunk, absolute samples. */
  speech: Schema.Array(Schema.Struct(span)),
  speechRatio: Ratio,
  /** Loudest sample, dBFS (0 is full scale, -120 is digital silence). */
  peakDbfs: Schema.Finite,
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
  ...engineFacts,
  unit: Unit,
  text: Schema.String,
  segments: Schema.Array(Segment),
  language: Schema.String,
  languageProbability: Ratio,
  /** exp(average log probability), 0..1. */
  confidence: Ratio,
  config: SessionConfig
})

export const RejectReason = Schema.Literals(["silence", "no_speech", "repetition", "marker"])
export type RejectReason = typeof RejectReason.Type

export const TextRejected = Schema.TaggedStruct("text.rejected", {
  ...base,
  ...span,
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
  text: Schema.String
})

const Generation = Count

export const ReplyDrafted = Schema.TaggedStruct("reply.drafted", {
  ...base,
  unit: Unit,
  /** Number of the sentence, from 1. */
  sentence: Unit,
  text: Schema.String,
  generation: Generation,
  config: SessionConfig
})

export const ReplyReady = Schema.TaggedStruct("reply.ready", {
  ...base,
  unit: Unit,
  text: Schema.String,
  sentences: Count,
  engine: Schema.String,
  model: Schema.String,
  /** SHA-256 of the exact messages sent, as JSON. */
  contextSha256: Schema.String,
  usage: Schema.Struct({ promptTokens: Count, completionTokens: Count }),
  /** From the start of the request to the first token. */
  firstTokenMs: Schema.Finite,
  computeMs: Schema.Finite,
  finish: Schema.Literals(["stop", "length", "cancelled"]),
  generation: Generation
})

export const SpeechSynthesized = Schema.TaggedStruct("speech.synthesized", {
  ...base,
  unit: Unit,
  sentence: Unit,
  text: Schema.String,
  /** `s16le` mono at `sampleRate`. */
  audio: BlobRef,
  sampleRate: Schema.Int,
  samples: Samples,
  engine: Schema.String,
  voice: Schema.String,
  computeMs: Schema.Finite,
  generation: Generation
})

const played = {
  unit: Unit,
  generation: Generation,
  /** Samples really played of the turn's audio, at its own rate. */
  samples: Samples,
  /** Sentences played to their end. */
  sentences: Count
} as const

export const SpeechHeard = Schema.TaggedStruct("speech.heard", { ...base, ...played })
export const SpeechInterrupted = Schema.TaggedStruct("speech.interrupted", { ...base, ...played })

export const TurnCancelled = Schema.TaggedStruct("turn.cancelled", {
  ...base,
  unit: Unit,
  generation: Generation,
  reason: Schema.Literals(["user", "barge_in", "timeout"])
})

export const Gap = Schema.Struct({ ...span, unit: Unit, reason: Schema.String })

export const Coverage = Schema.Struct({
  speechSamples: Samples,
  transcribedSamples: Samples,
  /** transcribed / detected speech; 1 when there was no speech. */
  ratio: Ratio,
  gaps: Schema.Array(Gap)
})
export type Coverage = typeof Coverage.Type

export const TranscriptCompleted = Schema.TaggedStruct("transcript.completed", {
  ...base,
  version: Unit,
  /** The merged transcript as JSON (see `Transcript`). */
  transcript: BlobRef,
  language: Schema.String,
  samples: Samples,
  segments: Count,
  words: Count,
  coverage: Coverage,
  /** Why there are no words, when there are none. */
  emptyReason: Schema.optionalKey(Schema.String)
})

export const BundleFile = Schema.Struct({ name: Schema.String, bytes: Count, sha256: Sha256 })

export const BundleReady = Schema.TaggedStruct("bundle.ready", {
  ...base,
  version: Unit,
  /** Absolute path on the host of the bundler. */
  folder: Schema.String,
  /** File name of the `.vtb` in `folder`. */
  bundle: Schema.String,
  files: Schema.Array(BundleFile),
  /** Head of the hash chain over the session's events, how many they are, and who signed. */
  seal: Schema.Struct({ head: Sha256, events: Count, publicKey: Schema.String, signature: Schema.String })
})

export const JobFailed = Schema.TaggedStruct("job.failed", {
  ...base,
  code: ErrorCode,
  message: Schema.String
})

export const ErrorRaised = Schema.TaggedStruct("error.raised", {
  ...base,
  actor: Schema.String,
  unit: Schema.optionalKey(Unit),
  code: ErrorCode,
  /** For a person; names no content. */
  message: Schema.String,
  recoverable: Schema.Boolean,
  /** The event that could not be handled, `stream:sequence`. */
  cause: Schema.String,
  /** Its subject: what is missing now. */
  subject: Schema.String,
  attempts: Count
})

/** Of a host, not of a session: subject `health.changed.host.<actor>`. */
export const HealthChanged = Schema.TaggedStruct("health.changed", {
  v: Schema.Literal(1),
  actor: Schema.String,
  status: Schema.Literals(["starting", "ready", "degraded", "down"]),
  detail: Schema.String
})

/** Of a host: subject `call.detected.host.<application>`. */
export const CallDetected = Schema.TaggedStruct("call.detected", {
  v: Schema.Literal(1),
  application: Schema.String,
  started: Schema.Boolean
})

export const Event = Schema.Union([
  JobQueued,
  SessionOpened,
  SessionClosed,
  AudioCaptured,
  AudioNormalized,
  AudioCompleted,
  TextTranscribed,
  TextRejected,
  TextPartial,
  ReplyDrafted,
  ReplyReady,
  SpeechSynthesized,
  SpeechHeard,
  SpeechInterrupted,
  TurnCancelled,
  TranscriptCompleted,
  BundleReady,
  JobFailed,
  ErrorRaised,
  HealthChanged,
  CallDetected
])
export type Event = typeof Event.Type
export type EventTag = Event["_tag"]
export type EventOf<T extends EventTag> = Extract<Event, { readonly _tag: T }>

/** An event that belongs to a session. */
export type SessionEvent = Extract<Event, { readonly session: SessionId }>

/** One transcript, the content of the blob that `transcript.completed` names. */
export const Transcript = Schema.Struct({
  session: SessionId,
  version: Unit,
  title: Schema.String,
  ticket: Schema.optionalKey(TicketId),
  startedAt: Schema.String,
  language: Schema.String,
  samples: Samples,
  text: Schema.String,
  segments: Schema.Array(Segment),
  coverage: Coverage,
  engine: Schema.String,
  model: Schema.String,
  modelSha256: Schema.String,
  emptyReason: Schema.optionalKey(Schema.String),
  /** The source was damaged or cut short: there may have been more. */
  truncated: Schema.optionalKey(Schema.Boolean)
})
export type Transcript = typeof Transcript.Type
