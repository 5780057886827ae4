/**
 * The actor at the end of a call: when the last chunk is settled it merges the transcript, publishes it, and writes the
 * output folder with the sealed bundle. Consumes every end of a chunk and `audio.completed`; whichever comes last finds
 * the call settled.
 *
 * `transcript.completed` is published before the bundle is written, because the bundle contains it. A run that died in
 * between is taken up where it stopped: what the log says of the transcript counts, not what this run would merge.
 */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import { Transcript, type Event, type EventOf, type EventTag, type SessionEvent } from "../../contract/Events.ts"
import * as Actor from "../../kernel/Actor.ts"
import { Blobs } from "../../kernel/Blobs.ts"
import { type Failure, Retryable, Terminal } from "../../kernel/Failure.ts"
import type { Frames } from "../../kernel/Frames.ts"
import type { Settings } from "../../kernel/Settings.ts"
import { countWords, merge } from "./Merge.ts"
import { writeOutput } from "./Output.ts"
import { askAgainAt, givesUpChunk, outcomesOf, unsettled } from "./Settled.ts"

const VERSION = 1
const TRANSCRIPT_TYPE = "application/json"

const ENDS = ["text.transcribed", "text.rejected", "error.raised"] as const
/** Everything a call's log can hold: what the bundle keeps. */
const KEPT: ReadonlyArray<EventTag> = [
  "job.queued",
  "session.opened",
  "session.closed",
  "audio.captured",
  "audio.normalized",
  "audio.completed",
  ...ENDS,
  "text.partial",
  "job.failed",
  "transcript.completed"
]

type Services = Blobs | Frames | Settings
type Context = Actor.ActorContext

const encodeTranscript = Schema.encodeEffect(Schema.fromJsonString(Transcript))
const decodeTranscript = Schema.decodeUnknownEffect(Schema.fromJsonString(Transcript))

const invalid = (what: string) => (cause: unknown) =>
  new Terminal({ code: "event.invalid", message: `The transcript of this call ${what}.`, cause })

/** The event of this kind, of which a call has one. */
const one = <T extends EventTag>(log: ReadonlyArray<Actor.Logged>, tag: T): EventOf<T> | undefined =>
  log.map(({ event }) => event).find((event): event is EventOf<T> => event._tag === tag)

const opened = (log: ReadonlyArray<Actor.Logged>, session: string): Effect.Effect<EventOf<"session.opened">, Terminal> =>
  Effect.fromNullishOr(one(log, "session.opened")).pipe(
    Effect.mapError(() => new Terminal({ code: "session.unknown", message: `The log does not hold the beginning of call ${session}.` }))
  )

const inOrder = <L extends Actor.Logged>(log: ReadonlyArray<L>): ReadonlyArray<L> => log.toSorted((a, b) => a.sequence - b.sequence)

/** Stores the merged transcript and says so. */
const complete = Effect.fnUntraced(function* (event: SessionEvent, log: ReadonlyArray<Actor.Logged>, audio: EventOf<"audio.completed">) {
  const blobs = yield* Blobs
  const events = log.map((entry) => entry.event)
  const transcript = merge({
    opened: yield* opened(log, event.session),
    completed: audio,
    chunks: events.filter((each) => each._tag === "audio.normalized"),
    ...outcomesOf(
      events.filter((each) => each._tag === "text.transcribed" || each._tag === "text.rejected" || each._tag === "error.raised")
    ),
    version: VERSION
  })
  const text = yield* encodeTranscript(transcript).pipe(Effect.mapError(invalid("does not match its schema")))
  const completed: EventOf<"transcript.completed"> = {
    _tag: "transcript.completed",
    v: 1,
    mode: event.mode,
    session: event.session,
    version: VERSION,
    transcript: yield* blobs.put(event, new TextEncoder().encode(text), TRANSCRIPT_TYPE),
    language: transcript.language,
    samples: transcript.samples,
    segments: transcript.segments.length,
    words: countWords(transcript),
    coverage: transcript.coverage,
    ...(transcript.emptyReason === undefined ? {} : { emptyReason: transcript.emptyReason })
  }
  return completed
})

/** Writes the folder of a call whose transcript is on the log. */
const bundle = Effect.fnUntraced(function* (event: SessionEvent, context: Context) {
  const blobs = yield* Blobs
  const log = inOrder(yield* context.history(KEPT))
  const end = log.findIndex((entry) => entry.event._tag === "transcript.completed")
  const completed = one(log, "transcript.completed")
  if (completed === undefined) {
    return yield* new Retryable({ code: "bus.unavailable", message: "The transcript is not on the log yet.", delayMs: 200 })
  }
  const bytes = yield* blobs.get(event, completed.transcript)
  const transcript = yield* decodeTranscript(new TextDecoder().decode(bytes)).pipe(Effect.mapError(invalid("cannot be read")))
  const output = yield* writeOutput({
    opened: yield* opened(log, event.session),
    captured: log.flatMap((entry) => (entry.event._tag === "audio.captured" ? [entry.event] : [])),
    transcript,
    events: log.slice(0, end + 1)
  })
  yield* Effect.logInfo("call bundled").pipe(
    Effect.annotateLogs({
      session: event.session,
      samples: transcript.samples,
      segments: transcript.segments.length,
      coverage: transcript.coverage.ratio,
      gaps: transcript.coverage.gaps.length
    })
  )
  const ready: EventOf<"bundle.ready"> = {
    _tag: "bundle.ready",
    v: 1,
    mode: event.mode,
    session: event.session,
    version: VERSION,
    ...output
  }
  return ready
})

/** Sessions whose next look is not due yet are remembered; more than this many, and the oldest is looked at again. */
const MEMORY = 1_000

/** An instance of the actor, with its own memory of when to ask the log again. */
export const makeBundler = (): Actor.Actor<Services> => {
  const askAgain = new Map<string, number>()

  const remember = (session: string, sequence: number) => {
    askAgain.delete(session)
    askAgain.set(session, sequence)
    const [oldest] = askAgain.keys()
    if (askAgain.size > MEMORY && oldest !== undefined) askAgain.delete(oldest)
  }

  /** What there is to publish now: nothing, the bundle, or the transcript and the bundle. */
  const settle = Effect.fnUntraced(function* (
    event: SessionEvent,
    context: Context
  ): Effect.fn.Return<Stream.Stream<Event, Failure, Services>, Failure, Services> {
    if (context.sequence < (askAgain.get(event.session) ?? 0)) return Stream.empty
    const marks = yield* context.history(["audio.completed", "transcript.completed", "bundle.ready"])
    const audio = one(marks, "audio.completed")
    if (audio === undefined || one(marks, "bundle.ready") !== undefined) return Stream.empty
    const bundled = Stream.fromEffect(bundle(event, context))
    if (one(marks, "transcript.completed") !== undefined) return bundled

    const log = inOrder(yield* context.history(["session.opened", "audio.normalized", "audio.completed", ...ENDS]))
    if ((log.at(-1)?.sequence ?? 0) < context.sequence) {
      // A replica that lags: deciding on it could overlook the last chunk for good.
      return yield* new Retryable({ code: "bus.unavailable", message: "The log does not show its newest events yet.", delayMs: 200 })
    }
    const ends = log.flatMap((entry) =>
      entry.event._tag === "text.transcribed" || entry.event._tag === "text.rejected" || entry.event._tag === "error.raised"
        ? [entry.event]
        : []
    )
    const remaining = unsettled(audio.chunks, outcomesOf(ends))
    if (remaining > 0) {
      remember(event.session, askAgainAt(remaining, context.sequence, log))
      return Stream.empty
    }
    askAgain.delete(event.session)
    return Stream.concat(Stream.fromEffect(complete(event, log, audio)), bundled)
  })

  return Actor.make<Services>({
    name: "bundler",
    logicVersion: 1,
    consumes: [{ mode: "call", tags: ["audio.completed", ...ENDS], concurrency: 1 }],
    publishes: ["transcript.completed", "bundle.ready"],
    // Its own failures come back as `error.raised`, and must not wake it.
    handle: (event, context) =>
      event._tag === "error.raised" && !givesUpChunk(event) ? Stream.empty : Stream.unwrap(settle(event, context))
  })
}

export const bundlerActor = makeBundler()
