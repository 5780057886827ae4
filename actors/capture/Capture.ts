/**
 * The capture actor: turns a job (an audio file as a call or as a question, or a typed question) into a session. A
 * question begins when it is queued, a call when the scheduler says that its turn has come.
 * The file goes into the blob store as it is; what it holds is for the normalizer to find out.
 */
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import { stat } from "node:fs/promises"
import { basename, isAbsolute } from "node:path"
import type { Event, JobQueued } from "../../contract/Events.ts"
import * as Actor from "../../kernel/Actor.ts"
import { Blobs } from "../../kernel/Blobs.ts"
import { describe, type Failure, systemCode, Terminal } from "../../kernel/Failure.ts"
import type { Settings } from "../../kernel/Settings.ts"
import { typedText } from "../../kernel/TypedText.ts"
import { opened } from "./Recorder.ts"
import { makeScheduler, WAKES } from "./Scheduler.ts"

type Job = typeof JobQueued.Type

const UNIT = 1

const checkFile = Effect.fnUntraced(function* (path: string): Effect.fn.Return<void, Terminal> {
  if (!isAbsolute(path)) return yield* new Terminal({ code: "input.invalid", message: `${path} is not an absolute path.` })
  const found = yield* Effect.tryPromise({
    try: () => stat(path),
    catch: (cause) =>
      systemCode(cause) === "ENOENT"
        ? new Terminal({ code: "input.missing", message: `${path} does not exist.`, cause })
        : new Terminal({ code: "input.missing", message: `${path} cannot be read: ${describe(cause)}`, cause })
  })
  if (!found.isFile()) return yield* new Terminal({ code: "input.invalid", message: `${path} is not a file.` })
  if (found.size === 0) return yield* new Terminal({ code: "audio.empty", message: `${basename(path)} is empty (0 bytes).` })
})

/** Everything of a session but its end, from a file. */
const fromFile = (job: Job, path: string, time: number): Stream.Stream<Event, Failure, Blobs> =>
  Stream.unwrap(
    Effect.gen(function* () {
      yield* checkFile(path)
      const { mode, session, config } = job
      const blobs = yield* Blobs
      const first = opened(session, { ...job, source: { kind: "file", name: basename(path) } }, time)
      const audio = blobs
        .putFile({ mode, session }, path, "application/octet-stream")
        .pipe(
          Effect.map((blob): Event => ({ _tag: "audio.captured", v: 1, mode, session, unit: UNIT, audio: { blob }, codec: "file", config }))
        )
      return Stream.concat(Stream.make<[Event]>(first), Stream.fromEffect(audio))
    })
  )

const fromText = (job: Job, text: string, time: number): Stream.Stream<Event> =>
  Stream.make<[Event, Event]>(opened(job.session, { ...job, source: { kind: "text", name: "" } }, time), typedText(job, UNIT, text))

const capture = (job: Job, time: number): Stream.Stream<Event, Failure, Blobs> => {
  const { mode, session, path, text } = job
  const closed: Event = { _tag: "session.closed", v: 1, mode, session, reason: "complete", captured: UNIT }
  const content =
    path !== undefined
      ? fromFile(job, path, time)
      : text !== undefined
        ? fromText(job, text, time)
        : Stream.fail(new Terminal({ code: "input.invalid", message: "The job names neither a file nor a text." }))
  return Stream.concat(content, Stream.make(closed))
}

/** The job whose turn has come, as it was queued. */
const started = (session: string, context: Actor.ActorContext): Stream.Stream<Event, Failure, Blobs> =>
  Stream.unwrap(
    Effect.map(context.history(["job.queued", "job.cancelled"]), (log) => {
      const [job] = log.flatMap(({ event }) => (event._tag === "job.queued" ? [event] : []))
      if (job === undefined) return Stream.fail(new Terminal({ code: "job.unknown", message: `${session} was started but never queued.` }))
      return log.some(({ event }) => event._tag === "job.cancelled") ? Stream.empty : capture(job, context.time)
    })
  )

/** An instance of the actor, with the scheduler's memory of the queue. */
export const makeCapture = (): Actor.Actor<Blobs | Settings> => {
  const schedule = makeScheduler()
  return Actor.make<Blobs | Settings>({
    name: "capture",
    logicVersion: 2,
    consumes: [
      { mode: "call", tags: ["job.started", ...WAKES], concurrency: 2 },
      { mode: "assistant", tags: ["job.queued"], concurrency: 2 }
    ],
    publishes: ["job.started", "job.failed", "session.opened", "audio.captured", "text.transcribed", "session.closed"],
    handle: (event, context) => {
      if (event._tag === "job.started") return started(event.session, context)
      if (event.mode === "call") return schedule(event, context)
      return event._tag === "job.queued" ? capture(event, context.time) : Stream.empty
    }
  })
}

export const captureActor = makeCapture()
