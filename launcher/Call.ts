/**
 * A call from a file, seen from outside: queue the job, follow its events, collect the transcript and what was written.
 */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import { ulid } from "ulid"
import { basename, extname, join } from "node:path"
import { transcriptJson } from "../actors/bundler/exports/Json.ts"
import { type Event, type EventOf, Transcript } from "../contract/Events.ts"
import type { SessionConfig, SessionId } from "../contract/Session.ts"
import { sessionFilters } from "../contract/Subjects.ts"
import type { Logged } from "../kernel/Actor.ts"
import { Blobs } from "../kernel/Blobs.ts"
import { Bus } from "../kernel/Bus.ts"
import { endsCall } from "../kernel/folds/JobQueue.ts"
import { encode, logged } from "../kernel/Envelope.ts"
import { type Failure, Terminal } from "../kernel/Failure.ts"

export interface CallRequest {
  /** Absolute. */
  readonly path: string
  readonly title?: string
  readonly ticket?: string
  readonly config: SessionConfig
}

export interface CallResult {
  readonly session: SessionId
  readonly transcript: Transcript
  readonly bundle: EventOf<"bundle.ready">
}

const decodeTranscript = Schema.decodeUnknownEffect(Schema.fromJsonString(Transcript))

/** Queues a job and returns its session. */
export const queue = Effect.fnUntraced(function* (job: Omit<EventOf<"job.queued">, "_tag" | "v" | "session">) {
  const bus = yield* Bus
  const session = ulid()
  const event: EventOf<"job.queued"> = { _tag: "job.queued", v: 1, session, ...job }
  yield* bus.publish(yield* encode(event, { actor: "launcher", cause: "", messageId: `job:${session}` }))
  return session
})

/** All events of a session, from its first, as they come. */
export const follow = (mode: "call" | "assistant", session: SessionId): Stream.Stream<Logged, Failure, Bus> =>
  Stream.unwrap(
    Effect.map(Bus, (bus) =>
      bus.tail(mode === "call" ? "CALLS" : "ASSISTANT", { filters: sessionFilters(mode, session), from: 1 }).pipe(Stream.mapEffect(logged))
    )
  )

/** Fails with what an actor could not do. */
export const raised = (event: EventOf<"error.raised">): Terminal => new Terminal({ code: event.code, message: event.message })

/**
 * Runs a call to its bundle.
 *
 * @param onEvent sees every event of the session, for progress
 */
export const runCall = Effect.fnUntraced(function* (request: CallRequest, onEvent: (entry: Logged) => Effect.Effect<void>) {
  const blobs = yield* Blobs
  const session = yield* queue({
    mode: "call",
    kind: "import",
    path: request.path,
    title: request.title ?? basename(request.path, extname(request.path)),
    ...(request.ticket === undefined ? {} : { ticket: request.ticket }),
    config: request.config,
    // Somebody waits for it: before everything that was imported.
    priority: 9
  })
  const events = yield* follow("call", session).pipe(
    Stream.tap(onEvent),
    Stream.map(({ event }) => event),
    Stream.tap((event) => (event._tag === "error.raised" && endsCall(event.actor) ? Effect.fail(raised(event)) : Effect.void)),
    Stream.filter(
      (event): event is EventOf<"transcript.completed" | "bundle.ready"> =>
        event._tag === "transcript.completed" || event._tag === "bundle.ready"
    ),
    Stream.takeUntil((event) => event._tag === "bundle.ready"),
    Stream.runCollect
  )
  const completed = events.find((event): event is EventOf<"transcript.completed"> => event._tag === "transcript.completed")
  const bundle = events.find((event): event is EventOf<"bundle.ready"> => event._tag === "bundle.ready")
  if (completed === undefined || bundle === undefined) {
    return yield* new Terminal({ code: "internal", message: "The event log ended before the bundle was ready." })
  }
  const bytes = yield* blobs.get({ mode: "call", session }, completed.transcript)
  const transcript = yield* decodeTranscript(new TextDecoder().decode(bytes)).pipe(
    Effect.mapError((cause) => new Terminal({ code: "event.invalid", message: "The stored transcript does not match its schema.", cause }))
  )
  const result: CallResult = { session, transcript, bundle }
  return result
})

/** What `transcribe --json` prints: the transcript as in `transcript.json`, and where everything was written. */
export const callJson = ({ transcript, bundle }: CallResult) => ({
  ...transcriptJson(transcript),
  folder: bundle.folder,
  bundle: join(bundle.folder, bundle.bundle),
  files: bundle.files
})

/** How far a call is, from the events seen so far. */
export interface Progress {
  readonly settled: number
  /** 0 until the whole file is cut into chunks. */
  readonly chunks: number
}

export const progressOf = (progress: Progress, event: Event): Progress => {
  if (event._tag === "audio.completed") return { ...progress, chunks: event.chunks }
  if (event._tag === "text.transcribed" || event._tag === "text.rejected") return { ...progress, settled: progress.settled + 1 }
  return progress
}
