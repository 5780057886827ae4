/**
 * The actor at the end of a call: when the last chunk is settled it merges the transcript, publishes it, and writes the
 * output folder with the sealed bundle. Consumes every end of a chunk and `audio.completed`; whichever comes last finds
 * the call settled. A version with another model is settled by its own chunks; a chunk that ends in words after it had
 * been given up makes a repaired version beside the old.
 *
 * `transcript.completed` is published before the bundle is written, because the bundle contains it. A run that died in
 * between is taken up where it stopped: what the log says of the transcript counts, not what this run would merge. It is
 * published again as it is, so that the outputs of an event keep their numbers.
 */
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import { RejectReason, type Event, type EventOf, type SessionEvent } from "../../contract/Events.ts"
import * as Actor from "../../kernel/Actor.ts"
import type { Blobs } from "../../kernel/Blobs.ts"
import { type Failure, Retryable } from "../../kernel/Failure.ts"
import { lineOf, lineOfVersion, newestOfLine, nextVersion } from "../../kernel/folds/Transcripts.ts"
import type { Frames } from "../../kernel/Frames.ts"
import type { Settings } from "../../kernel/Settings.ts"
import { all, bundle, complete, ENDS, inOrder, MARKS, MERGED } from "./Complete.ts"
import { askAgainAt, givesUpChunk, outcomesOf, unsettled } from "./Settled.ts"

type Services = Blobs | Frames | Settings
type Context = Actor.ActorContext
type Outputs = Stream.Stream<Event, Failure, Services>

/** Sessions whose next look is not due yet are remembered; more than this many, and the oldest is looked at again. */
const MEMORY = 1_000

/** How long a repair waits for the other chunks of its call, so that they become one version. */
const TOGETHER = "2 seconds"

const lagging = new Retryable({ code: "bus.unavailable", message: "The log does not show its newest events yet.", delayMs: 200 })

const lineOfEnd = (event: SessionEvent): number =>
  event._tag === "text.transcribed" || event._tag === "text.rejected" || event._tag === "error.raised" ? lineOf(event) : 1

/** A gap because an actor gave up, which can still get words; not one because nothing was said. */
const isGivenUp = (reason: string): boolean => !RejectReason.literals.some((known) => known === reason) && reason !== "no_words"

const newestLog = Effect.fnUntraced(function* (context: Context) {
  const log = inOrder(yield* context.history(MERGED))
  // A replica that lags: deciding on it could overlook the last chunk for good.
  return (log.at(-1)?.sequence ?? 0) < context.sequence ? yield* lagging : log
})

/** Whether chunks that were given up are still without an end: they may have been given back all at once. */
const othersMayFollow = Effect.fnUntraced(function* (
  context: Context,
  gaps: EventOf<"transcript.completed">["coverage"]["gaps"],
  line: number
) {
  const { transcribed, rejected } = outcomesOf(yield* newestLog(context), line)
  const ended = new Set([...transcribed, ...rejected].map(({ unit }) => unit))
  return gaps.some((gap) => isGivenUp(gap.reason) && !ended.has(gap.unit))
})

/** A further version of a finished line, because this event gave words to a chunk that had none. */
const repair = Effect.fnUntraced(function* (
  event: EventOf<"text.transcribed" | "text.rejected">,
  context: Context,
  marks: ReadonlyArray<Actor.Logged>,
  audio: EventOf<"audio.completed">,
  mayWait = true
): Effect.fn.Return<Outputs | undefined, Failure, Services> {
  const place = `${context.stream}:${context.sequence}`
  const line = lineOf(event)
  const requested = all(marks, "transcript.requested")
  const own = marks.find((entry) => entry.event._tag === "transcript.requested" && entry.cause === place)
  const newest = newestOfLine(line, requested, all(marks, "transcript.completed"))
  const missing = newest?.coverage.gaps.some((gap) => gap.unit === event.unit && isGivenUp(gap.reason)) === true
  if (own === undefined && !missing) return undefined
  if (mayWait && own === undefined && (yield* othersMayFollow(context, newest?.coverage.gaps ?? [], line))) {
    yield* Effect.sleep(TOGETHER)
    return yield* repair(event, context, yield* context.history(MARKS), audio, false)
  }
  const [config] = all(yield* context.history(["audio.normalized"]), "audio.normalized").map((chunk) => chunk.config)
  if (config === undefined) return yield* lagging
  const claim: EventOf<"transcript.requested"> =
    own?.event._tag === "transcript.requested"
      ? own.event
      : {
          _tag: "transcript.requested",
          v: 1,
          mode: event.mode,
          session: event.session,
          version: nextVersion(requested, all(marks, "transcript.completed")),
          reason: "repair",
          repairs: line,
          config: requested.find((each) => each.version === line)?.config ?? config
        }
  const claimed = Effect.gen(function* () {
    const now = yield* context.history(["transcript.requested"])
    // Somebody else took the number in the same moment: next time it is another.
    if (!now.some((entry) => entry.event.version === claim.version && entry.cause === place)) return yield* lagging
    return yield* finish(event, context, audio, claim.version)
  })
  return Stream.concat(Stream.make<[Event]>(claim), Stream.unwrap(claimed))
})

/** The transcript of a version, as the log has it or made now, and its bundle. */
const finish = Effect.fnUntraced(function* (event: SessionEvent, context: Context, audio: EventOf<"audio.completed">, version: number) {
  const log = yield* newestLog(context)
  const known = all(log, "transcript.completed").find((each) => each.version === version)
  const transcript = known === undefined ? complete(event, log, audio, version) : Effect.succeed(known)
  return Stream.concat(Stream.fromEffect(transcript), Stream.fromEffect(bundle(event, context, version))) as Outputs
})

/** An instance of the actor, with its own memory of when to ask the log again. */
export const makeBundler = (): Actor.Actor<Services> => {
  const askAgain = new Map<string, number>()

  const remember = (key: string, sequence: number) => {
    askAgain.delete(key)
    askAgain.set(key, sequence)
    const [oldest] = askAgain.keys()
    if (askAgain.size > MEMORY && oldest !== undefined) askAgain.delete(oldest)
  }

  /** What there is to publish now: nothing, or the transcript and the bundle. */
  const settle = Effect.fnUntraced(function* (event: SessionEvent, context: Context): Effect.fn.Return<Outputs, Failure, Services> {
    const line = lineOfEnd(event)
    const key = `${event.session}:${line}`
    if (context.sequence < (askAgain.get(key) ?? 0)) return Stream.empty
    const marks = yield* context.history(MARKS)
    const [audio] = all(marks, "audio.completed")
    if (audio === undefined) return Stream.empty

    const completed = all(marks, "transcript.completed")
    const requested = all(marks, "transcript.requested")
    const bundled = new Set(all(marks, "bundle.ready").map(({ version }) => version))
    const open = completed.find(({ version }) => lineOfVersion(version, requested) === line && !bundled.has(version))
    if (completed.some(({ version }) => version === line)) {
      const isText = event._tag === "text.transcribed" || event._tag === "text.rejected"
      if (isText) {
        const repaired = yield* repair(event, context, marks, audio)
        if (repaired !== undefined) return repaired
      }
      return open === undefined ? Stream.empty : yield* finish(event, context, audio, open.version)
    }
    // Nobody wants it. A transcript that is on the log already gets its bundle all the same.
    if (all(marks, "job.cancelled").length > 0) return Stream.empty
    const log = yield* newestLog(context)
    const remaining = unsettled(audio.chunks, outcomesOf(log, line))
    if (remaining > 0) {
      remember(key, askAgainAt(remaining, context.sequence, log))
      return Stream.empty
    }
    askAgain.delete(key)
    return yield* finish(event, context, audio, line)
  })

  return Actor.make<Services>({
    name: "bundler",
    logicVersion: 1,
    consumes: [{ mode: "call", tags: ["audio.completed", ...ENDS], concurrency: 1 }],
    publishes: ["transcript.requested", "transcript.completed", "bundle.ready"],
    // Its own failures come back as `error.raised`, and must not wake it.
    handle: (event, context) =>
      event._tag === "error.raised" && !givesUpChunk(event) ? Stream.empty : Stream.unwrap(settle(event, context))
  })
}

export const bundlerActor = makeBundler()
