/**
 * One version of a call's transcript, made and written: the merge of what its chunks became, as a blob and an event, and
 * the folder with the sealed bundle. The first version takes the call's folder, a later one `v2`, `v3` ... inside it.
 */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { Transcript, type EventOf, type EventTag, type SessionEvent } from "../../contract/Events.ts"
import { RECORDING_TAGS } from "../../contract/RecordingEvents.ts"
import type * as Actor from "../../kernel/Actor.ts"
import { Blobs } from "../../kernel/Blobs.ts"
import { Retryable, Terminal } from "../../kernel/Failure.ts"
import { keptInstead, lineOf, lineOfVersion } from "../../kernel/folds/Transcripts.ts"
import { countWords, merge } from "./Merge.ts"
import { writeOutput } from "./Output.ts"
import { outcomesOf } from "./Settled.ts"

const TRANSCRIPT_TYPE = "application/json"

/** How a chunk can end. */
export const ENDS = ["text.transcribed", "text.rejected", "error.raised"] as const
/** What was decided about versions so far. */
export const MARKS = ["audio.completed", "job.cancelled", "transcript.requested", "transcript.completed", "bundle.ready"] as const
/** What a transcript is merged from. */
export const MERGED = [
  "session.opened",
  "audio.normalized",
  "audio.completed",
  "transcript.requested",
  "transcript.completed",
  ...ENDS
] as const
/** Everything a call's log can hold: what the bundle keeps. */
const KEPT: ReadonlyArray<EventTag> = [
  "job.queued",
  "job.started",
  "language.pinned",
  ...RECORDING_TAGS,
  "session.closed",
  "audio.captured",
  ...MERGED,
  "text.partial",
  "job.failed"
]

type Log = ReadonlyArray<Actor.Logged>

const encodeTranscript = Schema.encodeEffect(Schema.fromJsonString(Transcript))
const decodeTranscript = Schema.decodeUnknownEffect(Schema.fromJsonString(Transcript))

const invalid = (what: string) => (cause: unknown) =>
  new Terminal({ code: "event.invalid", message: `The transcript of this call ${what}.`, cause })

/** The events of this kind. */
export const all = <T extends EventTag>(log: Log, tag: T): ReadonlyArray<EventOf<T>> =>
  log.map(({ event }) => event).filter((event): event is EventOf<T> => event._tag === tag)

export const inOrder = <L extends Actor.Logged>(log: ReadonlyArray<L>): ReadonlyArray<L> => log.toSorted((a, b) => a.sequence - b.sequence)

/** The beginning of the call, with the configuration that this version was made with. */
const openedAs = (log: Log, session: string, version: number): Effect.Effect<EventOf<"session.opened">, Terminal> => {
  const [opened] = all(log, "session.opened")
  const requested = all(log, "transcript.requested").find((each) => each.version === version)
  return opened === undefined
    ? Effect.fail(new Terminal({ code: "session.unknown", message: `The log does not hold the beginning of call ${session}.` }))
    : Effect.succeed(requested === undefined ? opened : { ...opened, config: requested.config })
}

/** Stores the merged transcript of a version and says so. */
export const complete = Effect.fnUntraced(function* (event: SessionEvent, log: Log, audio: EventOf<"audio.completed">, version: number) {
  const blobs = yield* Blobs
  const requested = all(log, "transcript.requested")
  const line = lineOfVersion(version, requested)
  const transcript = merge({
    opened: yield* openedAs(log, event.session, version),
    completed: audio,
    chunks: all(log, "audio.normalized").filter((chunk) => lineOf(chunk) === 1),
    ...outcomesOf(log, line),
    version
  })
  const text = yield* encodeTranscript(transcript).pipe(Effect.mapError(invalid("does not match its schema")))
  const words = countWords(transcript)
  const current = keptInstead({ version, words }, requested, all(log, "transcript.completed"))
  const completed: EventOf<"transcript.completed"> = {
    _tag: "transcript.completed",
    v: 1,
    mode: event.mode,
    session: event.session,
    version,
    transcript: yield* blobs.put(event, new TextEncoder().encode(text), TRANSCRIPT_TYPE),
    language: transcript.language,
    samples: transcript.samples,
    segments: transcript.segments.length,
    words,
    coverage: transcript.coverage,
    ...(transcript.emptyReason === undefined ? {} : { emptyReason: transcript.emptyReason }),
    ...(current === undefined ? {} : { current })
  }
  return completed
})

/** Writes the folder of a version whose transcript is on the log. */
export const bundle = Effect.fnUntraced(function* (event: SessionEvent, context: Actor.ActorContext, version: number) {
  const blobs = yield* Blobs
  const log = inOrder(yield* context.history(KEPT))
  const end = log.findIndex((entry) => entry.event._tag === "transcript.completed" && entry.event.version === version)
  const completed = all(log, "transcript.completed").find((each) => each.version === version)
  if (completed === undefined) {
    return yield* new Retryable({ code: "bus.unavailable", message: "The transcript is not on the log yet.", delayMs: 200 })
  }
  const bytes = yield* blobs.get(event, completed.transcript)
  const transcript = yield* decodeTranscript(new TextDecoder().decode(bytes)).pipe(Effect.mapError(invalid("cannot be read")))
  const first = (yield* context.history(["bundle.ready"])).find((entry) => entry.event.version === 1)
  const output = yield* writeOutput({
    opened: yield* openedAs(log, event.session, version),
    captured: all(log, "audio.captured"),
    transcript,
    events: log.slice(0, end + 1),
    ...(first === undefined ? {} : { firstFolder: first.event.folder })
  })
  yield* Effect.logInfo("call bundled").pipe(
    Effect.annotateLogs({
      session: event.session,
      version,
      samples: transcript.samples,
      segments: transcript.segments.length,
      coverage: transcript.coverage.ratio,
      gaps: transcript.coverage.gaps.length
    })
  )
  const ready: EventOf<"bundle.ready"> = { _tag: "bundle.ready", v: 1, mode: event.mode, session: event.session, version, ...output }
  return ready
})
