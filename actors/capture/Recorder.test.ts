import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as TestClock from "effect/testing/TestClock"
import { defaultSessionConfig, type SessionConfig } from "../../contract/Session.ts"
import { history } from "../../kernel/History.ts"
import { memoryBus } from "../../kernel/testkit/MemoryBus.ts"
import { Recorder } from "./Recorder.ts"

const layer = Layer.provideMerge(Recorder.layer, memoryBus)

/** A conversation with a question after each of these pauses, minutes; returns what was forgotten on the way. */
const forgotten = (pauses: ReadonlyArray<number>, idleMinutes = 60) =>
  Effect.gen(function* () {
    const recorder = yield* Recorder
    const config: SessionConfig = { ...defaultSessionConfig, reasoner: { ...defaultSessionConfig.reasoner, idleMinutes } }
    const session = yield* recorder.open({ mode: "assistant", title: "", source: { kind: "text", name: "" }, config })
    for (const [index, pause] of pauses.entries()) {
      yield* TestClock.adjust(`${pause} minutes`)
      const { unit } = yield* recorder.typed(session, "question")
      assert.strictEqual(unit, index + 1)
    }
    const cleared = yield* history("assistant", session.session, ["session.cleared"])
    return cleared.map(({ event }) => [event.through, event.reason])
  }).pipe(Effect.provide(layer))

describe("Recorder", () => {
  it.effect("begins a new subject after an idle hour, before the question is on the log", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* forgotten([0, 59, 59]), [])
      assert.deepStrictEqual(yield* forgotten([0, 1, 60, 1, 90]), [
        [2, "idle"],
        [4, "idle"]
      ])
      assert.deepStrictEqual(yield* forgotten([0, 600], 0), [])
    })
  )
})
