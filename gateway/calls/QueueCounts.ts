/** How many jobs of the queue are in which state, said at once and whenever it changes, at most twice a second. */
import * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"
import * as Stream from "effect/Stream"
import { filterOf } from "../../contract/Subjects.ts"
import { Bus } from "../../kernel/Bus.ts"
import { advance, emptyQueue, type JobQueue, QUEUE_TAGS } from "../../kernel/folds/JobQueue.ts"
import { everything } from "../../kernel/History.ts"

export type Counts = Readonly<Record<string, number>>

const NONE: Counts = { queued: 0, held: 0, running: 0, done: 0, failed: 0, cancelled: 0 }

export const countsOf = ({ jobs }: JobQueue): Counts => {
  const counts = { ...NONE }
  for (const { state } of jobs.values()) counts[state] = (counts[state] ?? 0) + 1
  return counts
}

const SOONEST = "500 millis"

/** Runs for ever. */
export const makeQueueCounts = (bus: Bus["Service"], say: (counts: Counts) => Effect.Effect<void>): Effect.Effect<void> => {
  let queue = emptyQueue
  let said = ""
  const look = Effect.gen(function* () {
    const news = yield* everything("call", QUEUE_TAGS, queue.sequence + 1)
    queue = advance(
      queue,
      news.filter(({ sequence }) => sequence > queue.sequence)
    )
    const counts = countsOf(queue)
    const text = JSON.stringify(counts)
    if (text === said) return
    said = text
    yield* say(counts)
  }).pipe(Effect.provideService(Bus, bus), Effect.ignore)
  const changes = Stream.suspend(() =>
    bus.tail("CALLS", { filters: QUEUE_TAGS.map((tag) => filterOf(tag, "call")), from: queue.sequence + 1 })
  ).pipe(
    // What comes in quick succession is one look.
    Stream.groupedWithin(1_000, SOONEST),
    Stream.runForEach(() => look),
    Effect.ignore,
    Effect.repeat(Schedule.spaced("200 millis"))
  )
  return Effect.andThen(look, changes)
}
