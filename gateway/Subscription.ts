/**
 * Events of the log, pushed to a client as they are. A new `subscribe` replaces the one before. After a fault of the bus
 * every stream goes on where it was.
 */
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Schedule from "effect/Schedule"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import { Bus } from "../kernel/Bus.ts"
import { Terminal } from "../kernel/Failure.ts"
import { covers, planOf, type StreamPlan } from "./Filters.ts"
import type { Outbox } from "./Outbox.ts"
import type { ClientMessageOf } from "./Protocol.ts"

const decodeBody = Schema.decodeUnknownEffect(Schema.fromJsonString(Schema.Unknown))
const text = new TextDecoder()

/** Lives as long as the scope; needs one. */
export const makeSubscription = Effect.fnUntraced(function* (outbox: Outbox) {
  const bus = yield* Bus
  const scope = yield* Effect.scope
  let running: Fiber.Fiber<void> | undefined

  const push = (subjects: ReadonlyArray<string>, { stream, filters }: StreamPlan, from: number | "new") => {
    let next = from
    return Stream.suspend(() => bus.tail(stream, { filters, from: next })).pipe(
      Stream.runForEach((recorded) => {
        next = recorded.sequence + 1
        if (!subjects.some((filter) => covers(filter, recorded.subject))) return Effect.void
        const { subject, sequence, time } = recorded
        return decodeBody(text.decode(recorded.data)).pipe(
          Effect.flatMap((event) => outbox.send({ type: "event", subject, stream, sequence, time, event })),
          Effect.ignore
        )
      }),
      Effect.ignore,
      Effect.repeat(Schedule.spaced("200 millis"))
    )
  }

  return {
    subscribe: Effect.fnUntraced(function* ({ subjects, from }: ClientMessageOf<"subscribe">): Effect.fn.Return<void, Terminal> {
      const plans = planOf(subjects)
      const nothing = subjects.find((filter) => planOf([filter]).length === 0)
      if (nothing !== undefined) {
        return yield* new Terminal({
          code: "input.invalid",
          message: `No event has a subject like ${nothing}. Subjects are <noun>.<verb>.<mode>.<session>, for example text.>.`
        })
      }
      if (running !== undefined) yield* Fiber.interrupt(running)
      running = yield* Effect.forEach(plans, (plan) => push(subjects, plan, from?.stream === plan.stream ? from.sequence : "new"), {
        concurrency: "unbounded",
        discard: true
      }).pipe(Effect.forkIn(scope))
    })
  }
})
