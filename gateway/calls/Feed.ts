/**
 * `subscribe` with `topics`: follows the log of calls for one connection and sends what `View.ts` makes of it. A new one
 * replaces the one before. A call that is met in the middle is recalled from the log first.
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Schedule from "effect/Schedule"
import * as Semaphore from "effect/Semaphore"
import * as Stream from "effect/Stream"
import type { EventTag, SessionEvent } from "../../contract/Events.ts"
import { RECORDING_TAGS } from "../../contract/RecordingEvents.ts"
import { RecordingStatus } from "../../contract/RecordingCommands.ts"
import type { SessionId } from "../../contract/Session.ts"
import { filterOf } from "../../contract/Subjects.ts"
import { Bus, type Recorded } from "../../kernel/Bus.ts"
import { call } from "../../kernel/Commands.ts"
import { decode } from "../../kernel/Envelope.ts"
import { history } from "../../kernel/History.ts"
import type { Outbox } from "../Outbox.ts"
import type { ServerMessage } from "../Protocol.ts"
import { TOPICS, type Topic } from "./Messages.ts"
import { makeQueueCounts } from "./QueueCounts.ts"
import { makeCallView, type Progress } from "./View.ts"

/** What a call is made of, for `CallState` and the messages. */
const TAGS = [
  "session.opened",
  ...RECORDING_TAGS,
  "session.closed",
  "audio.normalized",
  "audio.completed",
  "text.partial",
  "text.transcribed",
  "text.rejected",
  "transcript.completed",
  "bundle.ready",
  "job.failed",
  "error.raised"
] as const satisfies ReadonlyArray<EventTag>

/** Ten a second. */
const PROGRESS_EVERY = "100 millis"

const topicOf = (message: ServerMessage): Topic | undefined => {
  switch (message.type) {
    case "state_change":
      return "state"
    case "partial_transcript":
      return "transcript"
    case "recording_complete":
      return "recording"
    case "error":
      return "error"
    case "processing_progress":
      return "progress"
    case "timer":
      return "timer"
    default:
      return undefined
  }
}

export interface FeedRequest {
  readonly topics: ReadonlyArray<Topic>
  /** Only this call; all of them when absent. */
  readonly session?: SessionId
  /** First sequence of `CALLS` wanted; what is new when absent. */
  readonly from?: number
}

/** Lives as long as the scope; needs one. */
export const makeFeed = Effect.fnUntraced(function* (outbox: Outbox) {
  const bus = yield* Bus
  const scope = yield* Effect.scope
  let running: Fiber.Fiber<void> | undefined

  const feed = Effect.fnUntraced(function* ({ topics, session, from }: FeedRequest) {
    const view = makeCallView()
    const one = Semaphore.makeUnsafe(1)
    /** The newest progress of each call that has not been sent. */
    const waiting = new Map<SessionId, Progress>()
    const send = (messages: ReadonlyArray<ServerMessage>) =>
      Effect.forEach(
        messages,
        (message) => {
          const topic = topicOf(message)
          if (topic === undefined || !topics.includes(topic)) return Effect.void
          if (message.type !== "processing_progress") return outbox.send(message)
          return Effect.sync(() => void waiting.set(message.session, message))
        },
        { discard: true }
      )

    const recall = Effect.fnUntraced(function* (id: SessionId, before: Pick<Recorded, "subject" | "sequence"> | undefined) {
      const past = yield* Effect.provideService(history("call", id, TAGS, before), Bus, bus)
      view.recall(
        id,
        past.filter(({ sequence }) => before === undefined || sequence < before.sequence)
      )
    })

    const take = Effect.fnUntraced(function* (recorded: Recorded) {
      const event = yield* decode(recorded)
      if (!("session" in event) || (session !== undefined && event.session !== session)) return
      if (!view.knows(event.session)) yield* recall(event.session, recorded)
      yield* send(view.observe(event satisfies SessionEvent, recorded.time, recorded.sequence))
    })

    const cursor: { next: number | "new" } = { next: from ?? "new" }
    const events = Stream.suspend(() => bus.tail("CALLS", { filters: TAGS.map((tag) => filterOf(tag, "call")), from: cursor.next })).pipe(
      Stream.runForEach((recorded) =>
        take(recorded).pipe(
          // An event of a newer version is not for us.
          Effect.catch((failure) => Effect.logDebug("event left out").pipe(Effect.annotateLogs({ reason: failure.message }))),
          one.withPermits(1),
          Effect.tap(() => Effect.sync(() => void (cursor.next = recorded.sequence + 1)))
        )
      ),
      Effect.ignore,
      Effect.repeat(Schedule.spaced("200 millis"))
    )

    /** What is being recorded at this moment; `idle` when nothing is, or nobody can say. */
    const present = Effect.gen(function* () {
      const status = yield* Effect.option(
        Effect.provideService(call(RecordingStatus, session === undefined ? {} : { session }, { timeoutMs: 2_000 }), Bus, bus)
      )
      const id = status._tag === "Some" ? status.value.session : undefined
      if (id === undefined) return yield* send([{ type: "state_change", state: "idle" }])
      if (!view.knows(id)) yield* recall(id, undefined)
      yield* send(view.present(id))
    }).pipe(one.withPermits(1), Effect.ignore)

    const progress = Effect.suspend(() => {
      const [next] = waiting.values()
      if (next === undefined) return Effect.void
      waiting.delete(next.session)
      return outbox.send(next)
    }).pipe(Effect.repeat(Schedule.spaced(PROGRESS_EVERY)))

    const timer = Effect.flatMap(Clock.currentTimeMillis, (now) => send(view.timers(now))).pipe(Effect.repeat(Schedule.spaced("1 second")))

    const detected = Stream.suspend(() => bus.tail("HOST", { filters: ["call.detected.host.>"], from: "new" })).pipe(
      Stream.mapEffect(decode),
      Stream.runForEach((event) =>
        event._tag === "call.detected"
          ? outbox.send({ type: "call_detected", process: event.application, started: event.started })
          : Effect.void
      ),
      Effect.ignore,
      Effect.repeat(Schedule.spaced("200 millis"))
    )

    const has = (topic: Topic) => topics.includes(topic)
    const counts = makeQueueCounts(bus, (value) => outbox.send({ type: "queue_status", counts: value }))
    const parts = [
      ...(TOPICS.some((topic) => topic !== "queue" && topic !== "call" && has(topic)) ? [events, present] : []),
      ...(has("progress") ? [progress] : []),
      ...(has("timer") ? [timer] : []),
      ...(has("queue") ? [counts] : []),
      ...(has("call") ? [detected] : [])
    ]
    yield* Effect.all(parts, { concurrency: "unbounded", discard: true })
  })

  return {
    /** No topics: nothing more is sent. */
    subscribe: Effect.fnUntraced(function* (request: FeedRequest) {
      if (running !== undefined) yield* Fiber.interrupt(running)
      running = request.topics.length === 0 ? undefined : yield* Effect.forkIn(feed(request), scope)
    })
  }
})

export type Feed = Effect.Success<ReturnType<typeof makeFeed>>
