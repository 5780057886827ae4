/**
 * Random stories of inputs, crashes, failures and time on the bus in memory; a story that breaks a law is shrunk to the
 * shortest that does. `npm run test:properties` plays 10,000 of them; the real server plays some in `test/`.
 */
import { afterEach, assert, describe, it, vi } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as TestClock from "effect/testing/TestClock"
import * as fc from "fast-check"
import { runsOf } from "./testkit/Properties.ts"
import type { Story } from "./testkit/RuntimeModel.ts"

/** The model with today's code, or with a runtime that was broken in between. */
const model = async () => {
  const { play, stories } = await import("./testkit/RuntimeModel.ts")
  const { memoryBus } = await import("./testkit/MemoryBus.ts")
  /** Plays it while the clock goes as fast as it can. */
  const tell = (story: Story) =>
    Effect.gen(function* () {
      const playing = yield* Effect.forkChild(play(story))
      while (playing.pollUnsafe() === undefined) yield* TestClock.adjust("100 millis")
      return yield* Fiber.join(playing)
    }).pipe(Effect.provide(Layer.mergeAll(memoryBus, TestClock.layer())), Effect.scoped, Effect.runPromise)
  return { stories, tell }
}

afterEach(() => {
  vi.doUnmock("./CrashPoints.ts")
  vi.resetModules()
})

describe("the runtime, whatever happens", () => {
  it("settles every input once: all outputs in order, or one dead letter with a reason", { timeout: 1_200_000 }, async () => {
    const { stories, tell } = await model()
    await fc.assert(
      fc.asyncProperty(stories, async (story) => assert.deepStrictEqual(await tell(story), [])),
      { numRuns: runsOf(200) }
    )
  })

  for (const sabotage of ["ack-first", "no-ids"]) {
    it(`finds a runtime that is broken (${sabotage}), with the shortest story that shows it`, { timeout: 120_000 }, async () => {
      vi.resetModules()
      vi.doMock("./CrashPoints.ts", () => ({ crashAt: () => undefined, sabotage }))
      const { stories, tell } = await model()
      const found = await fc.check(
        fc.asyncProperty(stories, async (story) => (await tell(story)).length === 0),
        { numRuns: 500, seed: 1 }
      )
      assert.isTrue(found.failed)
      const [story] = found.counterexample ?? []
      // An input, a process, its death: nothing shorter can show it.
      assert.isAtMost(story?.length ?? 99, 4, JSON.stringify(story))
    })
  }
})
