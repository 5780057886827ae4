import { assert, describe, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import { TestClock } from "effect/testing"
import { type Failure, Retryable } from "../../../kernel/Failure.ts"
import * as Batcher from "./Batcher.ts"

const lease: Batcher.Options<string, string>["lease"] = (use) => use({ threads: 1, shrink: () => Effect.void })
const broken = new Retryable({ code: "engine.failed", message: "broken" })

/** A batcher whose passes are recorded, and finish when `open` does. */
const record = Effect.fnUntraced(function* (options: Partial<Batcher.Options<string, string>> = {}) {
  const passes: Array<ReadonlyArray<string>> = []
  const gate = yield* Deferred.make<void, Failure>()
  const submit = yield* Batcher.make<string, string>({
    slots: 1,
    most: 2,
    lingerMs: 10,
    key: (job) => job.slice(0, 1),
    lease,
    pass: (jobs) => {
      passes.push(jobs)
      return Effect.as(
        Deferred.await(gate),
        jobs.map((job) => job.toUpperCase())
      )
    },
    ...options
  })
  return { submit, passes, open: Deferred.succeed(gate, undefined), fail: Deferred.fail(gate, broken) }
})

describe("Batcher", () => {
  it.effect("puts what is alike into passes of at most `most`, and each gets its own result", () =>
    Effect.gen(function* () {
      const { submit, passes, open } = yield* record()
      const all = yield* Effect.forkChild(Effect.forEach(["a1", "b1", "a2", "a3"], submit, { concurrency: "unbounded" }))
      yield* TestClock.adjust(10)
      yield* open
      yield* TestClock.adjust(100)
      assert.deepStrictEqual(yield* Fiber.join(all), ["A1", "B1", "A2", "A3"])
      assert.deepStrictEqual(passes, [["a1", "a2"], ["b1"], ["a3"]])
    }).pipe(Effect.scoped)
  )

  it.effect("shares between idle slots", () =>
    Effect.gen(function* () {
      const { submit, passes, open } = yield* record({ slots: 2 })
      const all = yield* Effect.forkChild(Effect.forEach(["a1", "a2"], submit, { concurrency: "unbounded" }))
      yield* TestClock.adjust(10)
      assert.deepStrictEqual(passes, [["a1"], ["a2"]])
      yield* open
      yield* Fiber.join(all)
    }).pipe(Effect.scoped)
  )

  it.effect("tells everybody in a pass that it failed, and goes on", () =>
    Effect.gen(function* () {
      const { submit, fail } = yield* record()
      const all = yield* Effect.forkChild(Effect.forEach(["a1", "a2"], (job) => Effect.flip(submit(job)), { concurrency: "unbounded" }))
      yield* TestClock.adjust(10)
      yield* fail
      assert.deepStrictEqual(yield* Fiber.join(all), [broken, broken])
    }).pipe(Effect.scoped)
  )

  it.effect("a request that is given up before its pass is not computed; one in a pass is finished", () =>
    Effect.gen(function* () {
      const { submit, passes, open } = yield* record()
      const first = yield* Effect.forkChild(submit("a1"))
      yield* TestClock.adjust(10)
      const second = yield* Effect.forkChild(submit("b1"))
      yield* TestClock.adjust(10)
      yield* Fiber.interrupt(second)
      yield* open
      yield* Fiber.join(first)
      yield* TestClock.adjust(100)
      assert.deepStrictEqual(passes, [["a1"]])
    }).pipe(Effect.scoped)
  )

  it.effect("no lease is a failure for all that wait", () =>
    Effect.gen(function* () {
      const { submit } = yield* record({ lease: () => Effect.fail(broken) })
      const all = yield* Effect.forkChild(Effect.forEach(["a1", "b1"], (job) => Effect.flip(submit(job)), { concurrency: "unbounded" }))
      yield* TestClock.adjust(50)
      assert.deepStrictEqual(yield* Fiber.join(all), [broken, broken])
    }).pipe(Effect.scoped)
  )
})
