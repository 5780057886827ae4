import { assert, describe, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import { Retryable } from "../../kernel/Failure.ts"
import type { Engine, ReplyPart, ReplyRequest } from "./Engine.ts"
import { Speculation } from "./Speculation.ts"

const request = (question: string): ReplyRequest => ({
  messages: [{ role: "user", content: question }],
  maxTokens: 10,
  temperature: 0,
  model: "",
  prefix: ""
})

/** Answers with the number of the run; what ends a run early is noted. */
const fake = (tail: Stream.Stream<ReplyPart, Retryable> = Stream.empty) => {
  const notes: Array<string> = []
  let runs = 0
  const engine: Engine = {
    name: "fake",
    prepare: Effect.void,
    shape: (messages) => Effect.succeed(messages),
    reply: () =>
      Stream.suspend(() => {
        const run = (runs += 1)
        notes.push(`run ${run}`)
        return Stream.make<[ReplyPart]>({ _tag: "Token", text: `answer ${run}` }).pipe(
          Stream.concat(tail),
          Stream.onEnd(Effect.sync(() => notes.push(`end ${run}`))),
          Stream.ensuring(Effect.sync(() => notes.push(`over ${run}`)))
        )
      })
  }
  return { engine, notes }
}

const text = (parts: Stream.Stream<ReplyPart, unknown>) =>
  Effect.map(Stream.runCollect(parts), (all) => all.map((part) => (part._tag === "Token" ? part.text : "")).join(""))
const run = (body: Effect.Effect<void, unknown, Speculation | import("effect/Scope").Scope>) =>
  body.pipe(Effect.scoped, Effect.provide(Speculation.layer))

describe("an answer begun before the question was final", () => {
  it.effect("is used when the question is the same, and only once", () => {
    const { engine, notes } = fake()
    return run(
      Effect.gen(function* () {
        const { begin, take } = yield* Speculation
        yield* begin(engine, request("a"))
        yield* begin(engine, request("a"))
        const taken = yield* take(engine, request("a"))
        assert.isAtLeast(taken.aheadMs, 0)
        assert.strictEqual(yield* text(taken.parts), "answer 1")
        assert.strictEqual(yield* text((yield* take(engine, request("a"))).parts), "answer 2")
        assert.deepStrictEqual(
          notes.filter((note) => note.startsWith("run")),
          ["run 1", "run 2"]
        )
      })
    )
  })

  it.effect("is given up when the question is another one, before that is answered", () => {
    const { engine, notes } = fake(Stream.never)
    return run(
      Effect.gen(function* () {
        const { begin, take } = yield* Speculation
        yield* begin(engine, request("a"))
        yield* Effect.yieldNow
        yield* begin(engine, request("a and b"))
        yield* Effect.yieldNow
        const taken = yield* take(engine, request("a or b"))
        assert.strictEqual(taken.aheadMs, 0)
        assert.deepStrictEqual(notes, ["run 1", "over 1", "run 2", "over 2"])
      })
    )
  })

  it.effect("fails like any other answer, and ends when nobody reads it", () => {
    const broken = new Retryable({ code: "engine.failed", message: "No." })
    const { engine } = fake(Stream.fail(broken))
    const endless = fake(Stream.never)
    return run(
      Effect.gen(function* () {
        const { begin, take } = yield* Speculation
        yield* begin(engine, request("a"))
        const failed = yield* take(engine, request("a"))
        assert.strictEqual(yield* Effect.flip(Stream.runDrain(failed.parts)), broken)
        yield* begin(endless.engine, request("a"))
        const read = yield* Deferred.make<void>()
        yield* (yield* take(endless.engine, request("a"))).parts.pipe(
          Stream.tap(() => Deferred.succeed(read, undefined)),
          Stream.take(1),
          Stream.runDrain
        )
        yield* Deferred.await(read)
        assert.include(endless.notes, "over 1")
      })
    )
  })
})
