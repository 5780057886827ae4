/** The transcript of a call, what people and later stages add to it, its bundle, and what is left of a deleted one. */
import * as Schema from "effect/Schema"
import { Segment } from "./AudioEvents.ts"
import { BlobRef, Count, Ratio, Samples, Sha256, Unit, base, span } from "./EventBase.ts"
import { SessionConfig, SessionId, TicketId } from "./Session.ts"

export const Gap = Schema.Struct({ ...span, unit: Unit, reason: Schema.String })

export const Coverage = Schema.Struct({
  speechSamples: Samples,
  transcribedSamples: Samples,
  /** transcribed / detected speech; 1 when there was no speech. */
  ratio: Ratio,
  gaps: Schema.Array(Gap)
})
export type Coverage = typeof Coverage.Type

/** A further version of a transcript is wanted, or was found to be possible. It claims the number. */
export const TranscriptRequested = Schema.TaggedStruct("transcript.requested", {
  ...base,
  version: Unit,
  /** `model`: every chunk again, as `config` says. `repair`: a chunk that was given up has words after all. */
  reason: Schema.Literals(["model", "repair"]),
  /** The version that is repaired. */
  repairs: Schema.optionalKey(Unit),
  config: SessionConfig
})

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
  emptyReason: Schema.optionalKey(Schema.String),
  /** The version that is the call's text from now on; absent: this one. Words are never replaced by nothing. */
  current: Schema.optionalKey(Unit)
})

/** One change of a transcript. Segments are counted from 1 in the version that was edited. */
export const Change = Schema.Union([
  Schema.Struct({ kind: Schema.Literal("text"), segment: Unit, before: Schema.String, after: Schema.String }),
  /** Who said this segment; empty: unknown. */
  Schema.Struct({ kind: Schema.Literal("speaker"), segment: Unit, before: Schema.String, after: Schema.String }),
  /** A speaker's name in every segment. */
  Schema.Struct({ kind: Schema.Literal("rename"), before: Schema.String, after: Schema.String }),
  /** Takes back, or does again, the change of this revision. */
  Schema.Struct({ kind: Schema.Literals(["undo", "redo"]), revision: Unit })
])
export type Change = typeof Change.Type

/** What a person changed. The original stays as it is; `kernel/Transcripts.ts` folds the edits over it. */
export const TranscriptEdited = Schema.TaggedStruct("transcript.edited", {
  ...base,
  /** Number of the edit in the session, from 1. */
  revision: Unit,
  /** Version of the transcript that was edited. */
  version: Unit,
  change: Change,
  by: Schema.String,
  /** ISO 8601. */
  at: Schema.String
})

/** A keyword of the session's configuration was said. */
export const KeywordSpotted = Schema.TaggedStruct("keyword.spotted", {
  ...base,
  ...span,
  /** The chunk, and the number of the hit in it. */
  unit: Unit,
  number: Unit,
  keyword: Schema.String,
  /** The segment it was said in. */
  text: Schema.String
})

/** Retention leaves a pinned session alone. The newest revision counts. */
export const SessionPinned = Schema.TaggedStruct("session.pinned", {
  ...base,
  revision: Unit,
  pinned: Schema.Boolean,
  by: Schema.String,
  at: Schema.String
})

/** All that is left of a deleted session: who deleted it, when, and the hashes that tell a copy of its bundle. */
export const TombstoneWritten = Schema.TaggedStruct("tombstone.written", {
  ...base,
  by: Schema.String,
  at: Schema.String,
  reason: Schema.Literals(["user", "retention"]),
  /** Events, bytes of audio, transcripts and files that were erased. */
  events: Count,
  bytes: Count,
  /** SHA-256 of the `.vtb`, and the head of its event chain. */
  bundleSha256: Schema.optionalKey(Sha256),
  head: Schema.optionalKey(Sha256)
})

/**
 * Who speaks in each segment of a transcript: a finding beside the transcript, which stays as it is. Where it fails
 * there is none, and nothing else changes.
 */
export const TranscriptDiarized = Schema.TaggedStruct("transcript.diarized", {
  ...base,
  version: Unit,
  /** `channels`: each channel of the recording is a person. */
  method: Schema.Literals(["channels", "voices"]),
  speakers: Schema.Array(Schema.Struct({ id: Schema.String, samples: Samples })),
  /** One per segment of the transcript, in its order; empty where nobody could be told. */
  segments: Schema.Array(Schema.String),
  computeMs: Schema.Finite
})

/** A name that a person gave a speaker; the newest revision counts. */
export const SpeakerRenamed = Schema.TaggedStruct("speaker.renamed", {
  ...base,
  revision: Count,
  /** As in `transcript.diarized`. */
  speaker: Schema.NonEmptyString,
  /** Empty: no name any more. */
  name: Schema.String.check(Schema.isMaxLength(100)),
  /** Set when this takes back the rename of that revision. */
  undoes: Schema.optionalKey(Count)
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
