/** The commands on the queue: list, add, cancel, retry, move, pause. */
import * as Effect from "effect/Effect"
import { basename, extname, isAbsolute } from "node:path"
import { AddJob, CancelJob, type Job, ListJobs, MoveJob, PauseJobs, RetryJob } from "../../contract/JobCommands.ts"
import { handler } from "../../kernel/Commands.ts"
import { Terminal } from "../../kernel/Failure.ts"
import { DEFAULT_PRIORITY, isOpen, type JobQueue, orderBefore, type QueuedJob, waiting } from "../../kernel/folds/JobQueue.ts"
import { Settings } from "../../kernel/Settings.ts"
import { progressOf } from "../jobs/Progress.ts"
import { changing, enqueue, jobOf, put, readQueue } from "../jobs/Queue.ts"

/** Of those that have ended. */
const LISTED = 100

export const iso = (ms: number) => new Date(ms).toISOString()

const positionOf = (queue: JobQueue, { session }: QueuedJob): number => waiting(queue).findIndex((each) => each.session === session) + 1

/** As the contract shows it, without the progress. */
const shown = (entry: QueuedJob, position: number): Job => {
  const { job, failure } = entry
  return {
    session: entry.session,
    state: entry.state,
    title: job.title,
    ...(job.ticket === undefined ? {} : { ticket: job.ticket }),
    path: job.path ?? "",
    priority: entry.priority,
    position,
    queuedAt: iso(entry.queuedAt),
    ...(entry.startedAt === undefined ? {} : { startedAt: iso(entry.startedAt) }),
    ...(entry.endedAt === undefined ? {} : { endedAt: iso(entry.endedAt) }),
    ...(failure === undefined ? {} : { error: failure }),
    ...(job.retryOf === undefined ? {} : { retryOf: job.retryOf }),
    config: job.config
  }
}

const list = handler(ListJobs, ({ state, limit }) =>
  Effect.gen(function* () {
    const queue = yield* readQueue
    const all = [...queue.jobs.values()]
    const inWork = all.filter((each) => each.state === "running").toSorted((a, b) => (a.startedAt ?? 0) - (b.startedAt ?? 0))
    const ended = all.filter((each) => !isOpen(each)).toSorted((a, b) => (b.endedAt ?? 0) - (a.endedAt ?? 0))
    const lined = waiting(queue).map((each, index) => shown(each, index + 1))
    const wanted = (job: { readonly state: Job["state"] }) => state === undefined || job.state === state
    const working = yield* Effect.forEach(inWork.filter(wanted), (each) =>
      Effect.map(progressOf(each), (progress): Job => ({ ...shown(each, 0), progress }))
    )
    const past = ended
      .filter(wanted)
      .slice(0, limit ?? LISTED)
      .map((each) => shown(each, 0))
    return { jobs: [...working, ...lined.filter(wanted), ...past] }
  })
)

const add = handler(AddJob, ({ path, title, ticket, priority, config, key }) =>
  Effect.gen(function* () {
    if (!isAbsolute(path)) return yield* new Terminal({ code: "input.invalid", message: `${path} is not an absolute path.` })
    const queue = yield* readQueue
    const known = key === undefined ? undefined : [...queue.jobs.values()].find(({ job }) => job.key === key)
    if (known !== undefined) return { session: known.session, added: false }
    const session = yield* enqueue({
      path,
      title: title ?? basename(path, extname(path)),
      ...(ticket === undefined ? {} : { ticket }),
      ...(key === undefined ? {} : { key }),
      priority: priority ?? DEFAULT_PRIORITY,
      config: config ?? (yield* Settings).session
    })
    return { session, added: true }
  }).pipe(changing)
)

const cancel = handler(CancelJob, ({ session }) =>
  Effect.gen(function* () {
    const job = yield* jobOf(yield* readQueue, session)
    if (!isOpen(job)) return yield* new Terminal({ code: "job.finished", message: `Job ${session} is ${job.state} already.` })
    yield* put({ _tag: "job.cancelled", v: 1, mode: "call", session })
    return { session, state: (yield* jobOf(yield* readQueue, session)).state }
  }).pipe(changing)
)

const retry = handler(RetryJob, ({ session }) =>
  Effect.gen(function* () {
    const { state, job } = yield* jobOf(yield* readQueue, session)
    if (state === "queued" || state === "held" || state === "running")
      return yield* new Terminal({ code: "input.invalid", message: `Job ${session} is ${state}: there is nothing to do again yet.` })
    const { path, title, ticket, config, priority, sha256 } = job
    const next = yield* enqueue({
      ...(path === undefined ? {} : { path }),
      title,
      ...(ticket === undefined ? {} : { ticket }),
      ...(priority === undefined ? {} : { priority }),
      ...(sha256 === undefined ? {} : { sha256 }),
      config,
      retryOf: session
    })
    return { session: next, retryOf: session }
  }).pipe(changing)
)

const arrange = (job: QueuedJob, change: { readonly priority?: number; readonly order?: number; readonly held?: boolean }) =>
  put({
    _tag: "job.arranged",
    v: 1,
    mode: "call",
    session: job.session,
    revision: job.revision + 1,
    priority: change.priority ?? job.priority,
    order: change.order ?? job.order,
    held: change.held ?? job.state === "held"
  })

const waits = ({ state }: QueuedJob) => state === "queued" || state === "held"

const waitingJob = Effect.fnUntraced(function* (queue: JobQueue, session: string) {
  const job = yield* jobOf(queue, session)
  if (waits(job)) return job
  if (job.state === "running")
    return yield* new Terminal({ code: "input.invalid", message: `Job ${session} is running; only jobs that wait have a place.` })
  return yield* new Terminal({ code: "job.finished", message: `Job ${session} is ${job.state} already.` })
})

const move = handler(MoveJob, ({ session, priority, before }) =>
  Effect.gen(function* () {
    const queue = yield* readQueue
    const job = yield* waitingJob(queue, session)
    const target = before === undefined ? undefined : yield* waitingJob(queue, before)
    yield* arrange(
      job,
      target === undefined
        ? { priority: priority ?? job.priority }
        : { priority: target.priority, order: target.session === session ? job.order : orderBefore(queue, target) }
    )
    const moved = yield* readQueue
    const now = yield* jobOf(moved, session)
    return { session, priority: now.priority, position: positionOf(moved, now) }
  }).pipe(changing)
)

const pause = handler(PauseJobs, ({ session, paused }) =>
  Effect.gen(function* () {
    const queue = yield* readQueue
    const jobs = session === undefined ? waiting(queue) : [yield* waitingJob(queue, session)]
    const changed = jobs.filter(({ state }) => (state === "held") !== paused)
    yield* Effect.forEach(changed, (job) => arrange(job, { held: paused }), { discard: true })
    return { sessions: changed.map((job) => job.session) }
  }).pipe(changing)
)

export const jobHandlers = [list, add, cancel, retry, move, pause]
