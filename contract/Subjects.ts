/**
 * Subjects, streams and headers: where an event lives on the bus.
 *
 * `<noun>.<verb>.<mode>.<session>[.<unit>[.<part>]]`. The subject is the identity: every subject holds one event for
 * ever, which the publisher enforces with an expected sequence of 0 over `settles(event)`. For the two ends of a chunk
 * that is `text.*.<mode>.<session>.<unit>`, so a chunk cannot be both transcribed and rejected.
 */
import type { Event, EventOf, EventTag } from "./Events.ts"
import type { Mode, SessionId } from "./Session.ts"

export const HEADERS = {
  messageId: "Nats-Msg-Id",
  traceparent: "traceparent",
  actor: "Vox-Actor",
  cause: "Vox-Cause",
  generation: "Vox-Generation",
  /** Number of the dead letter that this is another try of. */
  retry: "Vox-Retry"
} as const

/** Nouns of session events; `frames`, `blobs`, `dlq` and host events have streams of their own. */
export const NOUNS = [
  "job",
  "session",
  "language",
  "audio",
  "text",
  "reply",
  "speech",
  "turn",
  "tool",
  "transcript",
  "speaker",
  "keyword",
  "bundle",
  "error"
] as const

export type StreamName =
  | "CALLS"
  | "ASSISTANT"
  | "FRAMES_CALLS"
  | "FRAMES_ASSISTANT"
  | "BLOBS_CALLS"
  | "BLOBS_ASSISTANT"
  | "DLQ"
  | "TOMBSTONES"
  | "RETRY"
  | "HOST"
  | "ADVISORIES"
  | "AUDIT"
  | "SHADOW"

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
  { name: "FRAMES_CALLS", subjects: ["frames.call.>"], storage: "file", means: "Raw audio of calls, 100 ms a frame." },
  {
    name: "FRAMES_ASSISTANT",
    subjects: ["frames.assistant.>"],
    storage: "memory",
    maxAgeSeconds: HOUR,
    means: "Raw audio of conversations."
  },
  { name: "BLOBS_CALLS", subjects: ["blobs.call.>"], storage: "file", means: "Content-addressed audio and transcripts of calls." },
  { name: "BLOBS_ASSISTANT", subjects: ["blobs.assistant.>"], storage: "kept", maxAgeSeconds: HOUR, means: "The same of conversations." },
  { name: "DLQ", subjects: ["dlq.>"], storage: "file", means: "Which events could not be handled, with the reason; no content." },
  { name: "RETRY", subjects: ["retry.>", "letter.>"], storage: "file", means: "What was done about them: another try, or set aside." },
  { name: "TOMBSTONES", subjects: ["tombstone.>"], storage: "file", means: "What is left of deleted sessions: who, when, which hash." },
  {
    name: "HOST",
    subjects: ["health.*.host.>", "call.*.host.>", "lag.*.host.>"],
    storage: "memory",
    maxMessagesPerSubject: 1,
    means: "State of the actors of this installation."
  },
  {
    name: "SHADOW",
    subjects: ["shadow.>"],
    storage: "memory",
    maxAgeSeconds: 24 * HOUR,
    means: "What shadow actors made of the same input, under the subjects it would have had after `shadow.<actor>.`."
  },
  {
    name: "ADVISORIES",
    subjects: ["$JS.EVENT.ADVISORY.CONSUMER.>"],
    storage: "file",
    maxAgeSeconds: 24 * HOUR,
    means: "What the server says of consumers."
  },
  {
    name: "AUDIT",
    subjects: ["audit.>"],
    storage: "file",
    maxAgeSeconds: 365 * 24 * HOUR,
    means: "Who changed what: one record for each command that changes something, without its content."
  }
]

export const eventStream = (mode: Mode): StreamName => (mode === "call" ? "CALLS" : "ASSISTANT")
export const blobStream = (mode: Mode): StreamName => (mode === "call" ? "BLOBS_CALLS" : "BLOBS_ASSISTANT")
export const frameStream = (mode: Mode): StreamName => (mode === "call" ? "FRAMES_CALLS" : "FRAMES_ASSISTANT")

/** Zero-padded to six digits, so that subjects sort as numbers do. */
export const unitToken = (unit: number): string => String(unit).padStart(6, "0")

/** A name as one subject token. */
export const token = (name: string): string => name.replace(/[^A-Za-z0-9_-]/g, "_") || "_"

/** Beside the log, lost when nobody listens: the level ten times a second, and the state of a recording when it changes. */
export const levelSubject = (session: SessionId): string => `level.call.${session}`
export const stateSubject = (session: SessionId): string => `state.call.${session}`

/** Headers of a frame of a live call: format, number of its span and where that begins, and the mark of the end. */
export const FRAME = {
  rate: "Vox-Rate",
  channels: "Vox-Channels",
  span: "Vox-Span",
  start: "Vox-Start",
  end: "Vox-End"
} as const

/** Beside the log: the totals of an actor's processes (`kernel/Counts.ts`). */
export const metricsSubject = (actor: string): string => `metrics.actor.${token(actor)}`
export const METRICS_SUBJECTS = "metrics.actor.*"

/** Where a shadow of an actor publishes what the actor itself would publish on `subject`. */
export const shadowSubject = (actor: string, subject: string): string => `shadow.${actor}.${subject}`

export const framesSubject = (mode: Mode, session: SessionId): string => `frames.${mode}.${session}`
export const blobSubject = (mode: Mode, session: SessionId, sha256: string, part: number | "*"): string =>
  `blobs.${mode}.${session}.${sha256}.${part === "*" ? "*" : unitToken(part)}`

/** A version after the first has a token of its own, so that what the first one settled stays settled. */
const versionTail = (version: number | undefined): ReadonlyArray<string> => ((version ?? 1) > 1 ? [`v${unitToken(version ?? 1)}`] : [])

const tail = (event: Event): ReadonlyArray<string> => {
  switch (event._tag) {
    case "reply.drafted":
    case "speech.synthesized":
      return [unitToken(event.unit), unitToken(event.sentence)]
    case "text.partial":
    case "audio.previewed":
      return [unitToken(event.unit), unitToken(event.revision)]
    case "speech.heard":
    case "speech.interrupted":
    case "turn.cancelled":
      return [unitToken(event.unit), unitToken(event.generation)]
    case "keyword.spotted":
      return [unitToken(event.unit), unitToken(event.number)]
    case "tool.called":
    case "tool.finished":
      return [unitToken(event.unit), unitToken(event.call)]
    case "session.cleared":
      return [unitToken(event.through)]
    case "job.arranged":
    case "speaker.renamed":
    case "transcript.edited":
    case "session.pinned":
      return [unitToken(event.revision)]
    case "transcript.requested":
    case "transcript.completed":
    case "transcript.diarized":
    case "bundle.ready":
      return [unitToken(event.version)]
    case "session.paused":
    case "session.resumed":
    case "session.recovering":
    case "session.discarded":
    case "session.restored":
    case "session.warned":
      return [unitToken(event.n)]
    case "error.raised":
      // One for each event that failed, and one for each further try that failed.
      return [
        event.actor,
        ...(event.unit === undefined ? [] : [unitToken(event.unit)]),
        token(event.cause),
        ...(event.retry === undefined ? [] : [`r${unitToken(event.retry)}`])
      ]
    case "audio.normalized":
    case "text.transcribed":
    case "text.rejected":
      return [unitToken(event.unit), ...versionTail(event.version)]
    case "audio.captured":
    case "reply.requested":
    case "reply.ready":
      return [unitToken(event.unit)]
    default:
      return []
  }
}

/** The subject an event is published on. */
export const subjectOf = (event: Event): string => {
  if (event._tag === "health.changed") return `health.changed.host.${token(event.actor)}`
  if (event._tag === "lag.changed") return `lag.changed.host.${token(event.actor)}`
  if (event._tag === "call.detected") return `call.detected.host.${token(event.application)}`
  if (event._tag === "session.keyed") return `session.keyed.${event.mode}.${event.keySha256}`
  return [event._tag, event.mode, event.session, ...tail(event)].join(".")
}

type HostEvent = EventOf<"health.changed" | "call.detected" | "lag.changed">

/** Events of a host do not belong to a session; of each the newest is kept. */
const isHostEvent = (event: Event): event is HostEvent => !("session" in event)

/** The subject filter of which at most one event may ever exist; `undefined` where newer replaces older. */
export const settles = (event: Event): string | undefined => {
  if (isHostEvent(event)) return undefined
  const subject = subjectOf(event)
  return event._tag === "text.transcribed" || event._tag === "text.rejected" ? subject.replace(/^text\.[a-z]+\./, "text.*.") : subject
}

/** The stream that keeps an event. */
export const streamOf = (event: Event): StreamName => {
  if (event._tag === "tombstone.written") return "TOMBSTONES"
  return isHostEvent(event) ? "HOST" : eventStream(event.mode)
}

/** Filter for one kind of event of one mode, any session. */
export const filterOf = (tag: EventTag, mode: Mode): string => `${tag}.${mode}.>`

/** Filters for everything about one session. */
export const sessionFilters = (mode: Mode, session: SessionId): ReadonlyArray<string> => [
  `*.*.${mode}.${session}`,
  `*.*.${mode}.${session}.>`
]

/** NATS matching: `*` is one token, `>` is one or more at the end. */
export const matches = (filter: string, subject: string): boolean => {
  const pattern = filter.split(".")
  const tokens = subject.split(".")
  for (const [index, token] of pattern.entries()) {
    if (token === ">") return tokens.length > index
    if (token !== "*" && token !== tokens[index]) return false
  }
  return pattern.length === tokens.length
}

/** The stream that keeps what is published on a subject. */
export const streamTaking = (subject: string): StreamName | undefined =>
  STREAMS.find((stream) => stream.subjects.some((filter) => matches(filter, subject)))?.name
