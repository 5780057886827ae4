/** Events of the log, pushed to a client as they are. A new `subscribe` replaces the one before. */
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Stream from "effect/Stream"
import { Bus } from "../kernel/Bus.ts"
import type { Terminal } from "../kernel/Failure.ts"
import type { Outbox } from "./Outbox.ts"
import type { ClientMessageOf } from "./Protocol.ts"
import { planFor, tail } from "./Tail.ts"

/** Lives as long as the scope; needs one. */
export const makeSubscription = Effect.fnUntraced(function* (outbox: Outbox) {
  const bus = yield* Bus
  const scope = yield* Effect.scope
  let running: Fiber.Fiber<void> | undefined

  return {
    subscribe: Effect.fnUntraced(function* ({ subjects = [], from }: ClientMessageOf<"subscribe">): Effect.fn.Return<void, Terminal> {
      const plans = yield* planFor(subjects)
      if (running !== undefined) yield* Fiber.interrupt(running)
      running = yield* Stream.unwrap(tail(bus, subjects, plans, from === undefined ? {} : { [from.stream]: from.sequence })).pipe(
        Stream.runForEach((event) => outbox.send({ type: "event", ...event })),
        Effect.forkIn(scope)
      )
    })
  }
})
