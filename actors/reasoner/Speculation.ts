/**
 * An answer that was begun before the question was final: on a partial transcript, while the user is still silent at
 * the button. When the final question makes the very same request, its tokens are here already; else they are thrown away.
 * Nothing of it is published before the question is on the log.
 */
import type * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Queue from "effect/Queue"
import * as Stream from "effect/Stream"
import type { Failure } from "../../kernel/Failure.ts"
import type { Engine, ReplyPart, ReplyRequest } from "./Engine.ts"

interface Begun {
  readonly key: string
  readonly queue: Queue.Queue<ReplyPart, Failure | Cause.Done>
  readonly fiber: Fiber.Fiber<void>
  readonly at: number
}

const keyOf = ({ name }: Engine, { messages, maxTokens, temperature, model, prefix, tools = [] }: ReplyRequest) =>
  JSON.stringify([name, messages, maxTokens, temperature, model, prefix, tools])

export class Speculation extends Context.Service<
  Speculation,
  {
    /** Begins an answer, in place of the one begun before. Returns at once. */
    readonly begin: (engine: Engine, request: ReplyRequest) => Effect.Effect<void>
    /** The answer, and by how many milliseconds it was ahead; anything else that was begun is given up. */
    readonly take: (
      engine: Engine,
      request: ReplyRequest
    ) => Effect.Effect<{ readonly parts: Stream.Stream<ReplyPart, Failure>; readonly aheadMs: number }>
  }
>()("voxbus/reasoner/Speculation") {
  static readonly layer = Layer.effect(
    Speculation,
    Effect.gen(function* () {
      const scope = yield* Effect.scope
      let begun: Begun | undefined
      const giveUp = Effect.suspend(() => {
        const old = begun
        begun = undefined
        return old === undefined ? Effect.void : Fiber.interrupt(old.fiber)
      })
      return Speculation.of({
        begin: Effect.fnUntraced(function* (engine, request) {
          const key = keyOf(engine, request)
          if (begun?.key === key) return
          yield* giveUp
          const queue = yield* Queue.unbounded<ReplyPart, Failure | Cause.Done>()
          const fiber = yield* engine.reply(request).pipe(
            Stream.runForEach((part) => Queue.offer(queue, part)),
            Effect.matchEffect({ onFailure: (failure) => Queue.fail(queue, failure), onSuccess: () => Queue.end(queue) }),
            Effect.asVoid,
            Effect.forkIn(scope)
          )
          begun = { key, queue, fiber, at: performance.now() }
        }),
        take: Effect.fnUntraced(function* (engine, request) {
          const mine = begun
          if (mine === undefined || mine.key !== keyOf(engine, request)) {
            yield* giveUp
            return { parts: engine.reply(request), aheadMs: 0 }
          }
          begun = undefined
          return {
            parts: Stream.fromQueue(mine.queue).pipe(Stream.ensuring(Fiber.interrupt(mine.fiber))),
            aheadMs: performance.now() - mine.at
          }
        })
      })
    })
  )
}
