/**
 * The queue as the commands see it: the fold of the log, read up to now, and the events that change it. One change at a
 * time, so that two callers with the same key or the same file get one job.
 */
import * as Effect from "effect/Effect"
import * as Semaphore from "effect/Semaphore"
import { ulid } from "ulid"
import type { Event, EventOf } from "../../contract/Events.ts"
import type { SessionId } from "../../contract/Session.ts"
import { Bus } from "../../kernel/Bus.ts"
import { encode } from "../../kernel/Envelope.ts"
import { Terminal } from "../../kernel/Failure.ts"
import { advance, emptyQueue, type JobQueue, QUEUE_TAGS, type QueuedJob } from "../../kernel/folds/JobQueue.ts"
import { everything } from "../../kernel/History.ts"

interface Memory {
  queue: JobQueue
  /** Content of a captured file to its newest session. */
  readonly contents: Map<string, SessionId>
  contentsRead: number
}

/** What was read of each bus, so that a look at the queue reads only what is new. */
const memories = new WeakMap<object, Memory>()
const turn = Semaphore.makeUnsafe(1)

const memory = Effect.map(Bus, (bus): Memory => {
  const known = memories.get(bus) ?? { queue: emptyQueue, contents: new Map<string, SessionId>(), contentsRead: 0 }
  memories.set(bus, known)
  return known
})

/** The queue as the log has it now. */
export const readQueue = Effect.gen(function* () {
  const own = yield* memory
  const news = yield* everything("call", QUEUE_TAGS, own.queue.sequence + 1)
  own.queue = advance(
    own.queue,
    news.filter(({ sequence }) => sequence > own.queue.sequence)
  )
  return own.queue
})

/** Session by SHA-256 of the file, for every file that was captured or is queued, given up ones left out. */
export const knownContents = Effect.gen(function* () {
  const own = yield* memory
  const queue = yield* readQueue
  for (const { event, sequence } of yield* everything("call", ["audio.captured"], own.contentsRead + 1)) {
    own.contentsRead = Math.max(own.contentsRead, sequence)
    if (event.codec === "file" && "blob" in event.audio) own.contents.set(event.audio.blob.sha256, event.session)
  }
  const given = ({ state }: QueuedJob) => state === "failed" || state === "cancelled"
  const captured = [...own.contents].filter(([, session]) => {
    const job = queue.jobs.get(session)
    return job === undefined || !given(job)
  })
  const queued = [...queue.jobs.values()].flatMap((job) =>
    job.job.sha256 === undefined || given(job) ? [] : [[job.job.sha256, job.session] as const]
  )
  return new Map([...captured, ...queued])
})

/** One change at a time. */
export const changing = turn.withPermits(1)

/** Puts an event of the queue on the log; false when one with its subject is there already. */
export const put = Effect.fnUntraced(function* (event: Event & { readonly session: SessionId }) {
  const bus = yield* Bus
  const { stored } = yield* bus.publish(yield* encode(event, { actor: "launcher", cause: "", messageId: `${event._tag}:${ulid()}` }))
  return stored
})

export const jobOf = Effect.fnUntraced(function* (queue: JobQueue, session: SessionId): Effect.fn.Return<QueuedJob, Terminal> {
  const job = queue.jobs.get(session)
  if (job === undefined) return yield* new Terminal({ code: "job.unknown", message: `There is no job ${session}.` })
  return job
})

export type NewJob = Omit<EventOf<"job.queued">, "_tag" | "v" | "mode" | "session" | "kind">

/** Queues a file as a new session. */
export const enqueue = Effect.fnUntraced(function* (job: NewJob) {
  const session: SessionId = ulid()
  yield* put({ _tag: "job.queued", v: 1, mode: "call", kind: "import", session, ...job })
  return session
})
