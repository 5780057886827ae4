/**
 * The queue of calls as a fold of the log: which jobs wait and in which order, which run, what became of the others.
 * Pure; the log is the queue, so it survives whatever is killed.
 *
 * Order: priority (9 first), then `order` (the sequence of `job.queued` until somebody moved the job). A job runs from
 * `job.started` to `bundle.ready`, `job.failed` or `job.cancelled`. What runs is never pushed aside.
 */
import type { EventOf, EventTag } from "../../contract/Events.ts"
import type { SessionId } from "../../contract/Session.ts"
import type { Logged } from "../Actor.ts"

/** Of calls; everything the fold is made of. */
export const QUEUE_TAGS = [
  "job.queued",
  "job.started",
  "job.arranged",
  "job.cancelled",
  "job.failed",
  "bundle.ready"
] as const satisfies ReadonlyArray<EventTag>
export type QueueTag = (typeof QUEUE_TAGS)[number]

/** Actors whose `error.raised` ends a call; a chunk that the transcriber gives up is a gap in it. */
const ENDS_A_CALL: ReadonlyArray<string> = ["capture", "normalizer", "bundler"]
export const endsCall = (actor: string): boolean => ENDS_A_CALL.includes(actor)

/** Of a job that says nothing. */
export const DEFAULT_PRIORITY = 5

type State = "queued" | "held" | "running" | "done" | "failed" | "cancelled"

export interface QueuedJob {
  readonly session: SessionId
  readonly state: State
  readonly priority: number
  readonly order: number
  /** Of the newest `job.arranged`; 0 before the first. */
  readonly revision: number
  readonly job: EventOf<"job.queued">
  /** Epoch milliseconds. */
  readonly queuedAt: number
  readonly startedAt?: number
  readonly endedAt?: number
  readonly failure?: { readonly code: EventOf<"job.failed">["code"]; readonly message: string }
}

export interface JobQueue {
  readonly jobs: ReadonlyMap<SessionId, QueuedJob>
  /** Sequence of the newest event in it. */
  readonly sequence: number
}

export const emptyQueue: JobQueue = { jobs: new Map(), sequence: 0 }

export const isOpen = ({ state }: QueuedJob): boolean => state === "queued" || state === "held" || state === "running"

const queued = ({ event, time, sequence }: Logged<EventOf<"job.queued">>): QueuedJob => ({
  session: event.session,
  state: "queued",
  priority: event.priority ?? DEFAULT_PRIORITY,
  order: sequence,
  revision: 0,
  job: event,
  queuedAt: time
})

const next = (job: QueuedJob, { event, time }: Logged<EventOf<QueueTag>>): QueuedJob => {
  switch (event._tag) {
    case "job.queued":
      return job
    case "job.arranged": {
      const { priority, order, held, revision } = event
      const state = job.state === "queued" || job.state === "held" ? (held ? "held" : "queued") : job.state
      return { ...job, priority, order, revision, state }
    }
    case "job.started":
      return isOpen(job) ? { ...job, state: "running", startedAt: time } : { ...job, startedAt: time }
    case "job.cancelled":
      return isOpen(job) ? { ...job, state: "cancelled", endedAt: time } : job
    case "job.failed":
      return isOpen(job) ? { ...job, state: "failed", endedAt: time, failure: { code: event.code, message: event.message } } : job
    case "bundle.ready":
      // What was finished in the moment it was given up is finished.
      return job.state === "done" ? job : { ...job, state: "done", endedAt: time }
  }
}

/** The queue after some more events, in the order of the log. */
export const advance = (queue: JobQueue, events: ReadonlyArray<Logged<EventOf<QueueTag>>>): JobQueue => {
  if (events.length === 0) return queue
  const jobs = new Map(queue.jobs)
  let { sequence } = queue
  for (const entry of events) {
    sequence = Math.max(sequence, entry.sequence)
    const { event } = entry
    const job = jobs.get(event.session)
    if (job !== undefined) jobs.set(event.session, next(job, entry))
    else if (event._tag === "job.queued") jobs.set(event.session, queued({ ...entry, event }))
  }
  return { jobs, sequence }
}

const before = (a: QueuedJob, b: QueuedJob): number => b.priority - a.priority || a.order - b.order

/** Those that wait, held ones too, in the order they start. */
export const waiting = (queue: JobQueue): ReadonlyArray<QueuedJob> =>
  [...queue.jobs.values()].filter(({ state }) => state === "queued" || state === "held").toSorted(before)

export const running = (queue: JobQueue): ReadonlyArray<QueuedJob> => [...queue.jobs.values()].filter(({ state }) => state === "running")

/** The jobs whose turn it is when `limit` may run at once. */
export const startable = (queue: JobQueue, limit: number): ReadonlyArray<QueuedJob> =>
  waiting(queue)
    .filter(({ state }) => state === "queued")
    .slice(0, Math.max(0, limit - running(queue).length))

/** The `order` that puts a job directly before another one of the same priority. */
export const orderBefore = (queue: JobQueue, target: QueuedJob): number => {
  const line = waiting(queue).filter(({ priority }) => priority === target.priority)
  const previous = line[line.findIndex(({ session }) => session === target.session) - 1]
  return previous === undefined ? target.order - 1 : (previous.order + target.order) / 2
}
