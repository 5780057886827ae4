import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as TestClock from "effect/testing/TestClock"
import { makeChain, retried } from "./Chain.ts"
import { Bus } from "./Bus.ts"
import { decode } from "./Envelope.ts"
import { type Failure, Retryable, Terminal } from "./Failure.ts"
import { Settings } from "./Settings.ts"
import { memoryBus } from "./testkit/MemoryBus.ts"
import { failureOf } from "./testkit/ProviderTest.ts"

const down = new Retryable({ code: "provider.unavailable", message: "It is down." })
const gone = new Retryable({ code: "provider.unreachable", message: "It is gone." })
const layer = Layer.mergeAll(memoryBus, Settings.layer({ provider: { circuit: { failures: 2, openSeconds: 30 } } }))

/** An engine that does what `now` says, and counts. */
const engine = (name: string) => ({ name, engine: { tries: 0, now: Effect.succeed(name) as Effect.Effect<string, Failure> } })
type Fake = ReturnType<typeof engine>["engine"]
const use = (fake: Fake) => Effect.suspend(() => ((fake.tries += 1), fake.now))

const health = Effect.gen(function* () {
  const records = yield* (yield* Bus).last("HOST", ["health.changed.host.speaker"])
  const event = records[0] === undefined ? undefined : yield* decode(records[0])
  return event?._tag === "health.changed" ? { status: event.status, detail: event.detail } : undefined
})
/** Runs it while the clock goes on. */
const hurry = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
  Effect.gen(function* () {
    const fiber = yield* Effect.forkChild(effect)
    for (let i = 0; i < 8; i++) yield* TestClock.adjust("1 seconds")
    return yield* Fiber.join(fiber)
  })

describe("retried", () => {
  it.effect("tries three times, 1 and 2 seconds apart", () =>
    Effect.gen(function* () {
      let tries = 0
      const fiber = yield* Effect.forkChild(
        failureOf(
          retried(
            Effect.suspend(() => ((tries += 1), Effect.fail<Failure>(down))),
            { hasNext: false }
          )
        )
      )
      yield* TestClock.adjust("0.7 seconds")
      assert.strictEqual(tries, 1)
      yield* TestClock.adjust("0.6 seconds")
      assert.strictEqual(tries, 2)
      // With the jitter the third try comes 2.4 to 3.6 s after the first.
      yield* TestClock.adjust("1 seconds")
      assert.strictEqual(tries, 2)
      yield* TestClock.adjust("1.4 seconds")
      assert.strictEqual(tries, 3)
      assert.strictEqual((yield* Fiber.join(fiber)).code, "provider.unavailable")
    })
  )

  it.effect("waits as long as the provider asks, but not for ever", () =>
    Effect.gen(function* () {
      let tries = 0
      const limited = (delayMs: number) =>
        retried(
          Effect.suspend(
            () => ((tries += 1), Effect.fail<Failure>(new Retryable({ code: "provider.rate_limited", message: "", delayMs })))
          ),
          {
            hasNext: false
          }
        )
      const fiber = yield* Effect.forkChild(failureOf(limited(5_000)))
      yield* TestClock.adjust("4.9 seconds")
      assert.strictEqual(tries, 1)
      yield* TestClock.adjust("6 seconds")
      assert.strictEqual(tries, 3)
      yield* Fiber.join(fiber)
      tries = 0
      yield* failureOf(limited(60_000))
      assert.strictEqual(tries, 1)
    })
  )

  it.effect("does not repeat what cannot pass, and leaves local engines to the runtime", () =>
    Effect.gen(function* () {
      let tries = 0
      for (const failure of [
        new Terminal({ code: "provider.auth", message: "" }),
        new Retryable({ code: "engine.failed", message: "" }),
        gone
      ] as const)
        yield* failureOf(
          retried(
            Effect.suspend(() => ((tries += 1), Effect.fail<Failure>(failure))),
            { hasNext: true }
          )
        )
      assert.strictEqual(tries, 3)
    })
  )
})

describe("a chain", () => {
  it.effect("falls back, says so, leaves a broken engine alone, and returns by itself", () =>
    Effect.gen(function* () {
      const chain = yield* makeChain("speaker")
      const [first, second] = [engine("elevenlabs"), engine("piper-local")]
      const turn = hurry(chain.run([first, second], use))
      assert.strictEqual((yield* turn).by, "elevenlabs")
      first.engine.now = Effect.fail(down)
      assert.strictEqual((yield* turn).by, "piper-local")
      assert.deepStrictEqual(yield* health, { status: "degraded", detail: "piper-local stands in for elevenlabs. It is down." })
      yield* turn
      const tries = first.engine.tries
      // The circuit is open: it is not asked any more.
      assert.strictEqual((yield* turn).by, "piper-local")
      assert.strictEqual(first.engine.tries, tries)
      first.engine.now = Effect.succeed("back")
      yield* TestClock.adjust("31 seconds")
      assert.deepStrictEqual(yield* turn, { value: "back", by: "elevenlabs" })
      assert.deepStrictEqual(yield* health, { status: "ready", detail: "" })
    }).pipe(Effect.scoped, Effect.provide(layer))
  )

  it.effect("does not wait for a machine that is not there when another engine is", () =>
    Effect.gen(function* () {
      const chain = yield* makeChain("speaker")
      const [first, second] = [engine("a"), engine("b")]
      first.engine.now = Effect.fail(gone)
      assert.strictEqual((yield* chain.run([first, second], use)).by, "b")
      assert.strictEqual(first.engine.tries, 1)
    }).pipe(Effect.scoped, Effect.provide(layer))
  )

  it.effect("with all of them down fails with what is wrong with the first", () =>
    Effect.gen(function* () {
      const chain = yield* makeChain("speaker")
      const [first, second] = [engine("a"), engine("b")]
      first.engine.now = Effect.fail(new Terminal({ code: "provider.quota", message: "Used up." }))
      second.engine.now = Effect.fail(new Terminal({ code: "model.missing", message: "No voice." }))
      assert.strictEqual((yield* failureOf(chain.run([first, second], use))).code, "provider.quota")
      assert.deepInclude(yield* health, { status: "degraded" })
    }).pipe(Effect.scoped, Effect.provide(layer))
  )

  it.effect("a refused request does not count against the provider", () =>
    Effect.gen(function* () {
      const chain = yield* makeChain("speaker")
      const [first, second] = [engine("a"), engine("b")]
      first.engine.now = Effect.fail(new Terminal({ code: "provider.rejected", message: "No." }))
      for (let i = 0; i < 5; i++) yield* chain.run([first, second], use)
      assert.strictEqual(first.engine.tries, 5)
    }).pipe(Effect.scoped, Effect.provide(layer))
  )
})
