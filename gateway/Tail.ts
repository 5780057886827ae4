/**
 * Events of subjects as they come, from any place in the log on. After a fault of the bus every stream goes on where it
 * was, so nothing is missed and nothing comes twice.
 */
import * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"
import * as Stream from "effect/Stream"
import { HEADERS } from "../contract/Subjects.ts"
import type { Bus, Recorded } from "../kernel/Bus.ts"
import { Terminal } from "../kernel/Failure.ts"
import { covers, planOf, type StreamPlan } from "./Filters.ts"
import type { EVENT_STREAMS } from "./Protocol.ts"

export type EventStream = (typeof EVENT_STREAMS)[number]

/** First sequence wanted of each stream; those that are not named begin with what is new. */
export type Cursor = Partial<Record<EventStream, number>>

export interface TailedEvent {
  readonly stream: EventStream
  readonly subject: string
  readonly sequence: number
  /** When the log took it, epoch milliseconds. */
  readonly time: number
  /** Who published it, and the `stream:sequence` of what it follows from. */
  readonly actor: string
  readonly cause: string
  /** The body as JSON. */
  readonly event: unknown
}

const text = new TextDecoder()

/** After a fault of the bus. */
const AGAIN = Schedule.spaced("200 millis")

/** The event with its body; nothing for one that is not JSON. */
const tailed = (stream: EventStream, { subject, sequence, time, headers, data }: Recorded): ReadonlyArray<TailedEvent> => {
  try {
    const [actor = "", cause = ""] = [headers[HEADERS.actor], headers[HEADERS.cause]]
    return [{ stream, subject, sequence, time, actor, cause, event: JSON.parse(text.decode(data)) as unknown }]
  } catch {
    return []
  }
}

/** Fails with `input.invalid` when a filter matches no event there can be. */
export const planFor = (subjects: ReadonlyArray<string>): Effect.Effect<ReadonlyArray<StreamPlan>, Terminal> => {
  const nothing = subjects.find((filter) => planOf([filter]).length === 0)
  return nothing === undefined
    ? Effect.succeed(planOf(subjects))
    : Effect.fail(
        new Terminal({
          code: "input.invalid",
          message: `No event has a subject like ${nothing}. Subjects are <noun>.<verb>.<mode>.<session>, for example text.>.`
        })
      )
}

const tailStream = (
  bus: Bus["Service"],
  subjects: ReadonlyArray<string>,
  { stream, filters }: StreamPlan,
  from: number
): Stream.Stream<TailedEvent> => {
  let next = from
  return Stream.suspend(() => bus.tail(stream, { filters, from: next })).pipe(
    Stream.tap((recorded) => Effect.sync(() => void (next = recorded.sequence + 1))),
    Stream.filter(({ subject }) => subjects.some((filter) => covers(filter, subject))),
    Stream.flatMap((recorded) => Stream.fromIterable(tailed(stream, recorded))),
    Stream.catch(() => Stream.empty),
    Stream.repeat(AGAIN)
  )
}

/** "What is new" as a place in the log: a fault before the first event must not make it begin later. Waits for the bus. */
const startOf = (bus: Bus["Service"], stream: EventStream, cursor: Cursor): Effect.Effect<number> => {
  const from = cursor[stream]
  if (from !== undefined) return Effect.succeed(from)
  return bus.newest(stream).pipe(
    Effect.map((newest) => newest + 1),
    Effect.retry(AGAIN),
    Effect.orDie
  )
}

/** What the plans select, merged; never ends. Once the stream is given, nothing that comes then is missed. */
export const tail = Effect.fnUntraced(function* (
  bus: Bus["Service"],
  subjects: ReadonlyArray<string>,
  plans: ReadonlyArray<StreamPlan>,
  cursor: Cursor
): Effect.fn.Return<Stream.Stream<TailedEvent>> {
  const starts = yield* Effect.forEach(plans, (plan) => startOf(bus, plan.stream, cursor), { concurrency: "unbounded" })
  return Stream.mergeAll(
    plans.map((plan, index) => tailStream(bus, subjects, plan, starts[index] ?? 1)),
    { concurrency: "unbounded" }
  )
})
