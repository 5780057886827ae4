/** The stories of `kernel/Runtime.model.test.ts` on a real server: the bus in memory is right about what matters. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as fc from "fast-check"
import { play, stories } from "../kernel/testkit/RuntimeModel.ts"
import { realBus } from "./support/server.ts"

const SEEDS = 100
const AT_ONCE = 50

describe("the runtime on a real server, whatever happens", () => {
  it(`settles every input once in ${SEEDS} random stories`, async () => {
    const told = await Effect.forEach(
      fc.sample(stories, { numRuns: SEEDS, seed: 20_261_125 }),
      (story) => Effect.map(play(story), (wrong) => ({ story, wrong })),
      { concurrency: AT_ONCE }
    ).pipe(Effect.provide(realBus), Effect.scoped, Effect.runPromise)
    assert.strictEqual(told.length, SEEDS)
    for (const { story, wrong } of told) assert.deepStrictEqual(wrong, [], JSON.stringify(story))
  })
})
