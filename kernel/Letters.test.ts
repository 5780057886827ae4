import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import { ulid } from "ulid"
import type { EventOf } from "../contract/Events.ts"
import * as Actor from "./Actor.ts"
import { Bus } from "./Bus.ts"
import { type Failure, Terminal } from "./Failure.ts"
import { chosen, letters, letterWithBody, markLetter, retryLetter } from "./Letters.ts"
import { testkit, testLayer } from "./testkit/Testkit.ts"

const closed = (session: string): EventOf<"session.closed"> => ({
  _tag: "session.closed",
  v: 1,
  mode: "call",
  session,
  reason: "complete",
  captured: 1
})

const partial = (session: string): EventOf<"text.partial"> => ({
  _tag: "text.partial",
  v: 1,
  mode: "call",
  session,
  unit: 1,
  revision: 1,
  text: "secret words"
})

/** Answers `session.closed` as long as nothing is broken. */
const fragile = (world: { broken: boolean }) =>
  Actor.make({
    name: "fragile",
    logicVersion: 1,
    consumes: [{ mode: "call", tags: ["session.closed"], concurrency: 1 }],
    publishes: ["text.partial"],
    handle: (event): Stream.Stream<EventOf<"text.partial">, Failure> =>
      world.broken
        ? Stream.concat(Stream.make(partial(event.session)), Stream.fail(new Terminal({ code: "bundle.unwritable", message: "read-only" })))
        : Stream.make(partial(event.session))
  })

const settledState = (id: number) =>
  letters.pipe(
    Effect.map((all) => all.find((letter) => letter.id === id)),
    Effect.repeat({ until: (letter) => letter?.state !== "retrying", schedule: Schedule.spaced("5 millis") })
  )

const run = <A, E>(test: Effect.Effect<A, E, Bus | Scope.Scope>) => test.pipe(Effect.scoped, Effect.provide(testLayer))

describe("Letters", () => {
  it.live("hold no content, and a retry does the work once, under the event's own identity", () =>
    run(
      Effect.gen(function* () {
        const bus = yield* Bus
        const world = { broken: true }
        const kit = yield* testkit(fragile(world))
        const session = ulid()
        assert.strictEqual((yield* kit.send(closed(session))).dead?.code, "bundle.unwritable")
        const [letter] = yield* letters
        assert.deepInclude(letter, { id: 1, state: "open", actor: "fragile", session, code: "bundle.unwritable", attempts: 1 })
        assert.strictEqual((yield* bus.last("DLQ", ["dlq.>"]))[0]?.data.length, 0)
        assert.include((yield* letterWithBody(1)).body, session)

        // Once more in vain: a letter and an error of its own.
        yield* Effect.forEach(yield* chosen({ ids: [1] }), retryLetter)
        assert.strictEqual((yield* settledState(1))?.state, "failed")
        const again = (yield* letters)[1]
        assert.deepInclude(again, { id: 2, state: "open", retryOf: 1 })
        assert.strictEqual((yield* bus.last("CALLS", [`error.raised.call.${session}.>`])).length, 2)

        // Mended: the number of the first letter still finds it.
        world.broken = false
        yield* Effect.forEach(yield* chosen({ ids: [1] }), retryLetter)
        assert.strictEqual((yield* settledState(2))?.state, "done")
        const texts = yield* Stream.runCollect(bus.read("CALLS", { filters: [`text.partial.call.${session}.>`] }))
        assert.strictEqual(texts.length, 1)
        assert.isEmpty(yield* chosen({ all: true }))
      })
    )
  )

  it.live("can be dropped and taken back, and an unknown one is said to be", () =>
    run(
      Effect.gen(function* () {
        const kit = yield* testkit(fragile({ broken: true }))
        yield* kit.send(closed(ulid()))
        yield* Effect.forEach(yield* chosen({ all: true }), (letter) => markLetter(letter, "dropped"))
        assert.deepStrictEqual(
          (yield* letters).map(({ state }) => state),
          ["dropped"]
        )
        yield* Effect.forEach(yield* chosen({ ids: [1] }), (letter) => markLetter(letter, "restored"))
        assert.strictEqual((yield* letters)[0]?.state, "open")
        assert.strictEqual((yield* Effect.flip(chosen({ ids: [9] }))).code, "letter.unknown")
        assert.strictEqual((yield* Effect.flip(chosen({}))).code, "input.invalid")
      })
    )
  )

  it.live("name the session of an event that is no event", () =>
    run(
      Effect.gen(function* () {
        const bus = yield* Bus
        yield* testkit(fragile({ broken: false }))
        const session = ulid()
        yield* bus.publish({ subject: `session.closed.call.${session}`, data: new TextEncoder().encode("{nonsense") })
        const found = yield* letters.pipe(Effect.repeat({ until: (all) => all.length > 0, schedule: Schedule.spaced("5 millis") }))
        assert.deepInclude(found[0], { code: "event.invalid", session })
        const raised = yield* bus
          .last("CALLS", [`error.raised.call.${session}.>`])
          .pipe(Effect.repeat({ until: (all) => all.length > 0, schedule: Schedule.spaced("5 millis") }))
        assert.strictEqual(raised.length, 1)
      })
    )
  )
})
