/** The soak, short: many turns and interruptions through the real program, from a seed. `npm run soak` is the long one. */
import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { runSoak } from "../bench/support/Soak.ts"
import { startProgram } from "./support/program.ts"

it("thirty turns, ten interruptions: nothing stuck, nothing stale", async () => {
  const voxbus = await startProgram({
    VOXBUS_TRANSCRIBER_ENGINE: "testkit",
    VOXBUS_REASONER_ENGINE: "testkit",
    VOXBUS_SPEAKER_ENGINE: "testkit"
  })
  try {
    const { gateway, home } = voxbus
    const soaked = await Effect.runPromise(runSoak({ gateway, home, turns: 30, bargeIns: 10, seed: 7 }))
    assert.deepStrictEqual([soaked.stale, soaked.stuck, soaked.errors], [0, 0, 0])
    assert.isAtLeast(soaked.turns, 30)
    assert.isAtLeast(soaked.bargeIns, 7)
  } finally {
    await voxbus.stop()
  }
})
