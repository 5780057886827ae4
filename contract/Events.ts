/**
 * Every event on the bus.
 *
 * One `Schema.TaggedStruct` per event; `_tag` is `<noun>.<verb>` and is also the head of the subject. `v` is the version
 * of the body: adding an optional field keeps it, anything else makes a new one. Positions are integer samples on the
 * session's absolute 16 kHz timeline; `end` is exclusive. Durations named `...Ms` are milliseconds.
 */
import * as Schema from "effect/Schema"
import {
  AudioCaptured,
  AudioCompleted,
  AudioNormalized,
  AudioPreviewed,
  TextPartial,
  TextRejected,
  TextTranscribed
} from "./AudioEvents.ts"
import { CallDetected, ErrorRaised, HealthChanged, JobFailed, LagChanged } from "./HostEvents.ts"
import {
  SessionDiscarded,
  SessionKeyed,
  SessionPaused,
  SessionRecovering,
  SessionRestored,
  SessionResumed,
  SessionStarted,
  SessionWarned
} from "./RecordingEvents.ts"
import type { SessionId } from "./Session.ts"
import { JobArranged, JobCancelled, JobQueued, JobStarted, LanguagePinned, SessionClosed, SessionOpened } from "./SessionEvents.ts"
import {
  BundleReady,
  KeywordSpotted,
  SessionPinned,
  SpeakerRenamed,
  TombstoneWritten,
  TranscriptCompleted,
  TranscriptDiarized,
  TranscriptEdited,
  TranscriptRequested
} from "./TranscriptEvents.ts"
import {
  ReplyDrafted,
  ReplyReady,
  ReplyRequested,
  SessionCleared,
  SpeechHeard,
  SpeechInterrupted,
  SpeechSynthesized,
  ToolCalled,
  ToolFinished,
  TurnCancelled
} from "./TurnEvents.ts"

export * from "./AudioEvents.ts"
export * from "./EventBase.ts"
export * from "./HostEvents.ts"
export * from "./SessionEvents.ts"
export * from "./TranscriptEvents.ts"
export * from "./TurnEvents.ts"

export const Event = Schema.Union([
  JobQueued,
  JobStarted,
  JobArranged,
  JobCancelled,
  SessionOpened,
  SessionStarted,
  SessionPaused,
  SessionResumed,
  SessionRecovering,
  SessionDiscarded,
  SessionKeyed,
  SessionRestored,
  SessionWarned,
  LanguagePinned,
  SessionClosed,
  AudioCaptured,
  AudioNormalized,
  AudioPreviewed,
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
  ToolCalled,
  ToolFinished,
  SessionCleared,
  ReplyRequested,
  TranscriptRequested,
  TranscriptCompleted,
  TranscriptEdited,
  KeywordSpotted,
  SessionPinned,
  TombstoneWritten,
  TranscriptDiarized,
  SpeakerRenamed,
  BundleReady,
  JobFailed,
  ErrorRaised,
  HealthChanged,
  CallDetected,
  LagChanged
])
export type Event = typeof Event.Type
export type EventTag = Event["_tag"]
export const EVENT_TAGS: ReadonlyArray<EventTag> = Event.members.map((member) => member.fields._tag.schema.literal)
export type EventOf<T extends EventTag> = Extract<Event, { readonly _tag: T }>

/** An event that belongs to a session. */
export type SessionEvent = Extract<Event, { readonly session: SessionId }>
