import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import { ulid } from "ulid"
import { type EventOf } from "../contract/Events.ts"
import * as Actor from "./Actor.ts"
import { Bus } from "./Bus.ts"
import { type Failure, Retryable, Terminal } from "./Failure.ts"
import { start } from "./Runtime.ts"
import { testkit, testLayer } from "./testkit/Testkit.ts"

const closed = (session = ulid()): EventOf<"session.closed"> => ({
  _tag: "session.closed",
  v: 1,
  mode: "call",
  session,
  reason: "complete",
  captured: 1
})

const partial = (session: string, revision: number): EventOf<"text.partial"> => ({
  _tag: "text.partial",
  v: 1,
  mode: "call",
  session,
  unit: 1,
  revision,
  text: "x"
})

/** Answers `session.closed` with what `handle` makes. */
const actor = (
  handle: (event: EventOf<"session.closed">, attempt: number) => Stream.Stream<ReturnType<typeof partial>, Failure>,
  attempts = 3
) =>
  Actor.make({
    name: "subject",
    logicVersion: 1,
    attempts,
    consumes: [{ mode: "call", tags: ["session.closed"], concurrency: 1 }],
    publishes: ["text.partial"],
    handle: (event, context) => (event._tag === "session.closed" ? handle(event, context.attempt) : Stream.empty)
  })

const run = <A, E>(test: Effect.Effect<A, E, Bus | Scope.Scope>) => test.pipe(Effect.scoped, Effect.provide(testLayer))

describe("Runtime", () => {
  it.live("publishes the outputs in order, with deterministic ids and their cause", () =>
    run(
      Effect.gen(function* () {
        const kit = yield* testkit(actor((event) => Stream.make(partial(event.session, 1), partial(event.session, 2))))
        const outcome = yield* kit.send(closed())
        assert.deepStrictEqual(
          outcome.events.map((event) => event._tag === "text.partial" && event.revision),
          [1, 2]
        )
        assert.isUndefined(outcome.dead)
      })
    )
  )

  it.live("stores an output once when the actor dies after publishing it", () =>
    run(
      Effect.gen(function* () {
        const session = ulid()
        const kit = yield* testkit(
          actor((event, attempt) =>
            attempt === 1
              ? Stream.concat(
                  Stream.make(partial(event.session, 1)),
                  Stream.fail(new Retryable({ code: "engine.failed", message: "half way", delayMs: 1 }))
                )
              : Stream.make(partial(event.session, 1), partial(event.session, 2))
          )
        )
        const outcome = yield* kit.send(closed(session))
        assert.strictEqual(outcome.events.length, 2)
        const all = yield* (yield* Bus).count("CALLS", `text.partial.call.${session}.>`)
        assert.deepStrictEqual([...all.values()], [1, 1])
      })
    )
  )

  it.live("moves a terminal failure to the dead letters at once, and tells the session", () =>
    run(
      Effect.gen(function* () {
        const session = ulid()
        const kit = yield* testkit(actor(() => Stream.fail(new Terminal({ code: "audio.unreadable", message: "not audio" }))))
        const outcome = yield* kit.send(closed(session))
        assert.deepStrictEqual(outcome.dead, { code: "audio.unreadable", message: "not audio", attempts: 1 })
        assert.strictEqual((yield* (yield* Bus).last("CALLS", [`error.raised.call.${session}.subject.>`])).length, 1)
      })
    )
  )

  it.live("tries a retryable failure again, then gives up", () =>
    run(
      Effect.gen(function* () {
        let tries = 0
        const kit = yield* testkit(
          actor(() => {
            tries += 1
            return Stream.fail(new Retryable({ code: "engine.failed", message: "busy", delayMs: 1 }))
          })
        )
        const outcome = yield* kit.send(closed())
        assert.strictEqual(tries, 3)
        assert.deepStrictEqual(outcome.dead, { code: "engine.failed", message: "busy", attempts: 3 })
      })
    )
  )

  it.live("treats a defect as a failure, not as the end", () =>
    run(
      Effect.gen(function* () {
        const kit = yield* testkit(
          actor((event, attempt) => {
            if (attempt === 1) throw new Error("bug")
            return Stream.make(partial(event.session, 1))
          })
        )
        assert.strictEqual((yield* kit.send(closed())).events.length, 1)
      })
    )
  )

  it.live("refuses an event that the actor does not declare", () =>
    run(
      Effect.gen(function* () {
        const kit = yield* testkit({ ...actor((event) => Stream.make(partial(event.session, 1))), publishes: [] })
        assert.strictEqual((yield* kit.send(closed())).dead?.code, "internal")
      })
    )
  )

  it.live("dead-letters what is not an event, and goes on", () =>
    run(
      Effect.gen(function* () {
        const bus = yield* Bus
        const kit = yield* testkit(actor((event) => Stream.make(partial(event.session, 1))))
        const session = ulid()
        yield* bus.publish({ subject: `session.closed.call.${session}`, data: new TextEncoder().encode("{nonsense") })
        assert.strictEqual((yield* kit.send(closed())).events.length, 1)
        assert.strictEqual((yield* bus.last("DLQ", [`dlq.subject.call.${session}`])).length, 1)
      })
    )
  )

  it.live("drains: finishes what it holds and takes nothing new", () =>
    run(
      Effect.gen(function* () {
        const bus = yield* Bus
        let finished = 0
        const slow = actor((event) =>
          Stream.fromEffect(
            Effect.sleep("150 millis").pipe(
              Effect.map(() => {
                finished += 1
                return partial(event.session, 1)
              })
            )
          )
        )
        const put = (session: string) =>
          bus.publish({ subject: `session.closed.call.${session}`, data: new TextEncoder().encode(JSON.stringify(closed(session))) })
        const [first, second] = [ulid(), ulid()]
        yield* put(first)
        yield* put(second)
        const running = yield* start(slow, { ackWaitMs: 2_500 })
        yield* Effect.sleep("50 millis")
        const draining = yield* Effect.forkChild(running.drain)
        yield* Fiber.join(draining)
        assert.strictEqual(finished, 1)
        assert.strictEqual((yield* bus.last("CALLS", [`text.partial.call.${first}.>`])).length, 1)
        assert.strictEqual((yield* bus.last("CALLS", [`text.partial.call.${second}.>`])).length, 0)
      })
    )
  )
})
