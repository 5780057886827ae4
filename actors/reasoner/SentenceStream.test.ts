import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/testing/TestClock"
import { sentences } from "./SentenceStream.ts"

const after = (milliseconds: number, ...pieces: ReadonlyArray<string>) =>
  Stream.concat(Stream.drain(Stream.fromEffect(Effect.sleep(milliseconds))), Stream.fromIterable(pieces))

/** Lets every fiber run until it waits for the clock. */
const settled = Effect.repeat(Effect.yieldNow, { times: 50 })
const adjust = (milliseconds: number) => Effect.andThen(TestClock.adjust(milliseconds), settled)

const collect = <E>(stream: Stream.Stream<string, E>) =>
  Effect.gen(function* () {
    const heard: Array<string> = []
    const fiber = yield* stream.pipe(
      Stream.runForEach((sentence) => Effect.sync(() => void heard.push(sentence))),
      Effect.forkChild
    )
    yield* settled
    return { heard, fiber }
  })

describe("sentence stream", () => {
  it.effect("gives each sentence as soon as it is complete", () =>
    Effect.gen(function* () {
      const { heard, fiber } = yield* collect(sentences(Stream.concat(Stream.make("Par", "is. It", " is"), after(100, " big."))))
      yield* adjust(50)
      assert.deepStrictEqual(heard, ["Paris."])
      yield* adjust(50)
      yield* Fiber.join(fiber)
      assert.deepStrictEqual(heard, ["Paris.", "It is big."])
    })
  )

  it.effect("says what is there after a pause of 400 ms, once", () =>
    Effect.gen(function* () {
      const { heard, fiber } = yield* collect(
        sentences(Stream.concat(Stream.make("Let me look that up for", " you. The"), after(5_000, " answer is four.")))
      )
      yield* adjust(399)
      assert.deepStrictEqual(heard, ["Let me look that up for you."])
      yield* adjust(4_000)
      assert.deepStrictEqual(heard, ["Let me look that up for you."])
      yield* adjust(601)
      yield* Fiber.join(fiber)
      assert.deepStrictEqual(heard, ["Let me look that up for you.", "The answer is four."])
    })
  )

  it.effect("does not wait for the end of a pause with a sentence whose end is not certain", () =>
    Effect.gen(function* () {
      const { heard, fiber } = yield* collect(sentences(Stream.concat(Stream.make("One moment."), after(5_000, " Here."))))
      yield* adjust(399)
      assert.deepStrictEqual(heard, [])
      yield* adjust(1)
      assert.deepStrictEqual(heard, ["One moment."])
      yield* adjust(5_000)
      yield* Fiber.join(fiber)
      assert.deepStrictEqual(heard, ["One moment.", "Here."])
    })
  )

  it.effect("drops half a sentence when the tokens fail", () =>
    Effect.gen(function* () {
      const heard: Array<string> = []
      const exit = yield* sentences(Stream.concat(Stream.make("One. Two an"), Stream.fail("broken"))).pipe(
        Stream.runForEach((sentence) => Effect.sync(() => void heard.push(sentence))),
        Effect.exit
      )
      assert.strictEqual(exit._tag, "Failure")
      assert.deepStrictEqual(heard, ["One."])
    })
  )

  it.effect("never gives an empty sentence, says no markup", () =>
    Effect.gen(function* () {
      const heard = yield* Stream.runCollect(
        sentences(Stream.make("<think>hm", "m.</think>", "**Yes**.\n\n", "...\n", "- 👍\n", "```\nx\n```", ""))
      )
      assert.deepStrictEqual(heard, ["Yes."])
    })
  )
})
