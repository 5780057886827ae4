/**
 * The capture actor: turns a queued job (an audio file as a call or as a question, or a typed question) into a session.
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
import { opened, typedText } from "./Recorder.ts"

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

export const captureActor = Actor.make<Blobs>({
  name: "capture",
  logicVersion: 1,
  consumes: [
    { mode: "call", tags: ["job.queued"], concurrency: 2 },
    { mode: "assistant", tags: ["job.queued"], concurrency: 2 }
  ],
  publishes: ["session.opened", "audio.captured", "text.transcribed", "session.closed"],
  handle: (event, context) => (event._tag === "job.queued" ? capture(event, context.time) : Stream.empty)
})
