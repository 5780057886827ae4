/** Lag: what waits is seen, what is worked on is not behind, and it is said once. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/testing/TestClock"
import { ulid } from "ulid"
import type { Lane } from "../contract/ActorCommands.ts"
import { Bus } from "./Bus.ts"
import { decode } from "./Envelope.ts"
import { lanesOf, levelOf, watchLag } from "./Lag.ts"
import { consumersOf } from "./Runtime.ts"
import { memoryBus } from "./testkit/MemoryBus.ts"

const lane = (fields: Partial<Lane>): Lane => ({ mode: "call", pending: 0, inFlight: 0, redelivered: 0, idle: 0, oldestMs: 0, ...fields })
const actor = { name: "transcriber", consumes: [{ mode: "call", tags: ["audio.normalized"], concurrency: 1 }] } as const
const data = new TextEncoder().encode("{}")

describe("lag", () => {
  it("counts what waits, not what is worked on", () => {
    assert.strictEqual(levelOf([lane({ inFlight: 1, oldestMs: 60_000 })]), "ok")
    assert.strictEqual(levelOf([lane({ pending: 1, oldestMs: 4_999 })]), "ok")
    assert.strictEqual(levelOf([lane({ pending: 1, oldestMs: 5_000 })]), "behind")
    assert.strictEqual(levelOf([lane({}), lane({ pending: 50 })]), "behind")
    assert.strictEqual(levelOf([lane({ pending: 1, oldestMs: 30_000 })]), "far-behind")
  })

  it.effect("is said when it changes, again after a while, and when it is over", () =>
    Effect.gen(function* () {
      const bus = yield* Bus
      const [spec] = consumersOf(actor, 1_000)
      if (spec === undefined) return assert.fail("no consumer")
      const consumer = yield* bus.consumer(spec)
      const session = ulid()
      for (let unit = 1; unit <= 3; unit += 1) yield* bus.publish({ subject: `audio.normalized.call.${session}.${unit}`, data })
      yield* watchLag([actor]).pipe(Effect.forkChild)
      const said = Effect.flatMap(bus.last("HOST", ["lag.changed.host.>"]), (found) => Effect.forEach(found, decode))
      yield* TestClock.adjust("4 seconds")
      assert.deepStrictEqual(yield* said, [])
      yield* TestClock.adjust("2 seconds")
      assert.deepInclude(yield* lanesOf(actor), { mode: "call", pending: 3, inFlight: 0, redelivered: 0, idle: 0, oldestMs: 6_000 })
      assert.deepStrictEqual(yield* said, [
        { _tag: "lag.changed", v: 1, actor: "transcriber", level: "behind", pending: 3, inFlight: 0, oldestMs: 6_000 }
      ])
      yield* TestClock.adjust("8 seconds")
      assert.strictEqual((yield* said).length, 1)
      for (let unit = 1; unit <= 3; unit += 1) {
        const delivery = yield* consumer.next(1_000)
        if (delivery !== undefined) yield* delivery.ack
      }
      yield* TestClock.adjust("2 seconds")
      const [, last] = yield* said
      const newest = last ?? (yield* said).at(-1)
      assert.deepInclude(newest, { level: "ok", pending: 0 })
    }).pipe(Effect.provide(memoryBus))
  )
})
