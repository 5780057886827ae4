import { assert, describe, layer } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { command } from "../contract/Command.ts"
import { Bus } from "./Bus.ts"
import { call, handler, serve } from "./Commands.ts"
import { Terminal } from "./Failure.ts"
import { memoryBus } from "./testkit/MemoryBus.ts"

const Double = command("test.double", {
  request: Schema.Struct({ n: Schema.Int }),
  reply: Schema.Struct({ n: Schema.Int }),
  changes: false,
  means: "Twice the number."
})

const double = handler(Double, ({ n }) => {
  if (n === 13) return Effect.fail(new Terminal({ code: "session.unknown", message: "No 13." }))
  return n === 14 ? Effect.die(new Error("boom")) : Effect.succeed({ n: 2 * n })
})

describe("commands", () => {
  layer(memoryBus)((it) => {
    it.effect("answers, and fails with the code of the handler", () =>
      Effect.gen(function* () {
        yield* serve([double])
        assert.deepStrictEqual(yield* call(Double, { n: 4 }), { n: 8 })
        const refused = yield* Effect.flip(call(Double, { n: 13 }))
        assert.deepStrictEqual([refused._tag, refused.code, refused.message], ["Terminal", "session.unknown", "No 13."])
        const fault = yield* Effect.flip(call(Double, { n: 14 }))
        assert.deepStrictEqual([fault._tag, fault.code], ["Retryable", "internal"])
      })
    )

    it.effect("refuses what does not match the schema, whoever sends it", () =>
      Effect.gen(function* () {
        yield* serve([double])
        const bus = yield* Bus
        for (const body of ["{}", "nonsense", '{"n":1,"more":2}', "[]"]) {
          const answer = yield* bus.request("cmd.test.double", new TextEncoder().encode(body), { timeoutMs: 1_000 })
          assert.strictEqual(answer.headers["Vox-Error"], "input.invalid", body)
        }
      })
    )

    it.effect("says that nobody serves a command", () =>
      Effect.gen(function* () {
        const failure = yield* Effect.flip(call(Double, { n: 1 }))
        assert.strictEqual(failure.code, "bus.unavailable")
      })
    )
  })
})
