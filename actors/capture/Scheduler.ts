/**
 * Whose turn it is: reads the queue from the log whenever something happens to it, and publishes `job.started` for as
 * many jobs as may run at once, in the order of the queue. `job.started` is stored once for each job, so two processes
 * that decide at the same time start nothing twice; for a moment they may start one job more than the limit.
 */
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import type { Event, SessionEvent } from "../../contract/Events.ts"
import type { ActorContext } from "../../kernel/Actor.ts"
import type { Retryable } from "../../kernel/Failure.ts"
import { advance, emptyQueue, endsCall, isOpen, QUEUE_TAGS, startable } from "../../kernel/folds/JobQueue.ts"
import { Settings } from "../../kernel/Settings.ts"

/** What may change the queue. */
export const WAKES = ["job.queued", "job.arranged", "job.cancelled", "job.failed", "bundle.ready", "error.raised"] as const

/** A scheduler with its own memory of the log; it reads each event once. */
export const makeScheduler = () => {
  let queue = emptyQueue
  return (event: SessionEvent, context: ActorContext): Stream.Stream<Event, Retryable, Settings> =>
    Stream.unwrap(
      Effect.gen(function* () {
        const { jobs, cores } = yield* Settings
        const news = yield* context.everything(QUEUE_TAGS, queue.sequence + 1)
        queue = advance(
          queue,
          // Another delivery may have read them meanwhile.
          news.filter(({ sequence }) => sequence > queue.sequence)
        )
        const limit = jobs.concurrency === 0 ? Math.max(2, Math.floor(cores / 2)) : jobs.concurrency
        const starts = startable(queue, limit).map(({ session }): Event => ({ _tag: "job.started", v: 1, mode: "call", session }))
        return Stream.fromIterable([...failed(event), ...starts])
      })
    )

  /** The end of a job that an actor gave up; what else went wrong in a session does not concern the queue. */
  function failed(event: SessionEvent): ReadonlyArray<Event> {
    if (event._tag !== "error.raised" || !endsCall(event.actor)) return []
    if (event.actor === "capture" && !event.subject.startsWith("job.started.")) return []
    const job = queue.jobs.get(event.session)
    if (job === undefined || !isOpen(job)) return []
    return [{ _tag: "job.failed", v: 1, mode: event.mode, session: event.session, code: event.code, message: event.message }]
  }
}
