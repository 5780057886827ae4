/** Answers as server-sent events: objects of JSON, one `data:` line each. */
import * as Effect from "effect/Effect"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Pull from "effect/Pull"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import type { Failure } from "../../kernel/Failure.ts"
import { openAiBody } from "./Problem.ts"

/**
 * The stream once its first element is there: what fails before that can still be an answer with a status. What it holds
 * goes with the scope of the request, which lasts until the answer is sent or the client is gone.
 */
export const primed = Effect.fnUntraced(function* <A, E, R>(
  self: Stream.Stream<A, E, R>
): Effect.fn.Return<Stream.Stream<A, E, R>, E, R | Scope.Scope> {
  const pull = yield* Stream.toPull(self)
  const first = yield* pull.pipe(
    Effect.map((some): ReadonlyArray<A> => some),
    Pull.catchDone(() => Effect.succeed<ReadonlyArray<A>>([]))
  )
  return first.length === 0 ? Stream.empty : Stream.concat(Stream.fromIterable(first), Stream.fromPull(Effect.succeed(pull)))
})

const line = (value: unknown): string => `data: ${JSON.stringify(value)}\n\n`

/** @param last text behind the last event, such as `[DONE]` */
export const sse = Effect.fnUntraced(function* <R>(events: Stream.Stream<unknown, Failure, R>, last?: string) {
  const ready = yield* primed(events)
  const services = yield* Effect.context<R>()
  const body = ready.pipe(
    Stream.map(line),
    Stream.concat(last === undefined ? Stream.empty : Stream.make(`data: ${last}\n\n`)),
    // The status is sent: a failure is an event too, which the clients raise.
    Stream.catch((failure) => Stream.make(line(openAiBody(failure)))),
    Stream.provideContext(services)
  )
  return HttpServerResponse.stream(body.pipe(Stream.encodeText), {
    contentType: "text/event-stream",
    headers: { "cache-control": "no-store", "x-accel-buffering": "no" }
  })
})
