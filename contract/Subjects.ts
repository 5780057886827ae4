/**
 * Subjects, streams and headers: where an event lives on the bus.
 *
 * `<noun>.<verb>.<mode>.<session>[.<unit>[.<part>]]`. The subject is the identity: every subject holds one event for
 * ever, which the publisher enforces with an expected sequence of 0 over `settles(event)`. For the two ends of a chunk
 * that is `text.*.<mode>.<session>.<unit>`, so a chunk cannot be both transcribed and rejected.
 */
import type { Event, EventTag } from "./Events.ts"
import type { Mode, SessionId } from "./Session.ts"

export const HEADERS = {
  messageId: "Nats-Msg-Id",
  traceparent: "traceparent",
  actor: "Vox-Actor",
  cause: "Vox-Cause",
  generation: "Vox-Generation"
} as const

/** Nouns of session events; `frames`, `blobs`, `dlq` and host events have streams of their own. */
export const NOUNS = ["job", "session", "audio", "text", "reply", "speech", "turn", "transcript", "bundle", "error"] as const

export type StreamName =
  | "CALLS"
  | "ASSISTANT"
  | "FRAMES_CALLS"
  | "FRAMES_ASSISTANT"
  | "BLOBS_CALLS"
  | "BLOBS_ASSISTANT"
  | "DLQ"
  | "HOST"
  | "ADVISORIES"

export interface StreamSpec {
  readonly name: StreamName
  readonly subjects: ReadonlyArray<string>
  /** `kept` follows `privacy.keepConversations`: a file when true, memory when false. */
  readonly storage: "file" | "memory" | "kept"
  /** Seconds after which a message goes, if at all. */
  readonly maxAgeSeconds?: number
  readonly maxMessagesPerSubject?: number
  readonly means: string
}

const nouns = (mode: Mode) => NOUNS.map((noun) => `${noun}.*.${mode}.>`)
const HOUR = 3600

export const STREAMS: ReadonlyArray<StreamSpec> = [
  { name: "CALLS", subjects: nouns("call"), storage: "file", means: "Events of calls. Nothing is ever lost." },
  {
    name: "ASSISTANT",
    subjects: nouns("assistant"),
    storage: "kept",
    maxAgeSeconds: HOUR,
    means: "Events of conversations: gone after a restart or 60 idle minutes unless kept."
  },
  { name: "FRAMES_CALLS", subjects: ["frames.call.>"], storage: "file", means: "Raw audio of calls, 250 ms a frame." },
  {
    name: "FRAMES_ASSISTANT",
    subjects: ["frames.assistant.>"],
    storage: "memory",
    maxAgeSeconds: HOUR,
    means: "Raw audio of conversations."
  },
  { name: "BLOBS_CALLS", subjects: ["blobs.call.>"], storage: "file", means: "Content-addressed audio and transcripts of calls." },
  { name: "BLOBS_ASSISTANT", subjects: ["blobs.assistant.>"], storage: "kept", maxAgeSeconds: HOUR, means: "The same of conversations." },
  { name: "DLQ", subjects: ["dlq.>"], storage: "file", means: "Events that could not be handled, with the reason." },
  {
    name: "HOST",
    subjects: ["health.*.host.>", "call.*.host.>"],
    storage: "memory",
    maxMessagesPerSubject: 1,
    means: "State of the actors of this installation."
  },
  {
    name: "ADVISORIES",
    subjects: ["$JS.EVENT.ADVISORY.CONSUMER.>"],
    storage: "file",
    maxAgeSeconds: 24 * HOUR,
    means: "What the server says of consumers."
  }
]

export const eventStream = (mode: Mode): StreamName => (mode === "call" ? "CALLS" : "ASSISTANT")
export const blobStream = (mode: Mode): StreamName => (mode === "call" ? "BLOBS_CALLS" : "BLOBS_ASSISTANT")
export const frameStream = (mode: Mode): StreamName => (mode === "call" ? "FRAMES_CALLS" : "FRAMES_ASSISTANT")

/** Zero-padded to six digits, so that subjects sort as numbers do. */
export const unitToken = (unit: number): string => String(unit).padStart(6, "0")

/** A name as one subject token. */
export const token = (name: string): string => name.replace(/[^A-Za-z0-9_-]/g, "_") || "_"

export const framesSubject = (mode: Mode, session: SessionId): string => `frames.${mode}.${session}`
export const blobSubject = (mode: Mode, session: SessionId, sha256: string, part: number | "*"): string =>
  `blobs.${mode}.${session}.${sha256}.${part === "*" ? "*" : unitToken(part)}`

const tail = (event: Event): ReadonlyArray<string> => {
  switch (event._tag) {
    case "reply.drafted":
    case "speech.synthesized":
      return [unitToken(event.unit), unitToken(event.sentence)]
    case "text.partial":
      return [unitToken(event.unit), unitToken(event.revision)]
    case "speech.heard":
    case "speech.interrupted":
    case "turn.cancelled":
      return [unitToken(event.unit), unitToken(event.generation)]
    case "transcript.completed":
    case "bundle.ready":
      return [unitToken(event.version)]
    case "error.raised":
      return [event.actor, ...(event.unit === undefined ? [] : [unitToken(event.unit)])]
    case "audio.captured":
    case "audio.normalized":
    case "text.transcribed":
    case "text.rejected":
    case "reply.ready":
      return [unitToken(event.unit)]
    default:
      return []
  }
}

/** The subject an event is published on. */
export const subjectOf = (event: Event): string => {
  if (event._tag === "health.changed") return `health.changed.host.${token(event.actor)}`
  if (event._tag === "call.detected") return `call.detected.host.${token(event.application)}`
  return [event._tag, event.mode, event.session, ...tail(event)].join(".")
}

/** The subject filter of which at most one event may ever exist; `undefined` where newer replaces older. */
export const settles = (event: Event): string | undefined => {
  if (event._tag === "health.changed" || event._tag === "call.detected") return undefined
  const subject = subjectOf(event)
  return event._tag === "text.transcribed" || event._tag === "text.rejected" ? subject.replace(/^text\.[a-z]+\./, "text.*.") : subject
}

/** The stream that keeps an event. */
export const streamOf = (event: Event): StreamName =>
  event._tag === "health.changed" || event._tag === "call.detected" ? "HOST" : eventStream(event.mode)

/** Filter for one kind of event of one mode, any session. */
export const filterOf = (tag: EventTag, mode: Mode): string => `${tag}.${mode}.>`

/** Filters for everything about one session. */
export const sessionFilters = (mode: Mode, session: SessionId): ReadonlyArray<string> => [
  `*.*.${mode}.${session}`,
  `*.*.${mode}.${session}.>`
]
