/**
 * Several language models as one: the first that works answers. One that breaks off in the middle of an answer is
 * followed by the next, which goes on after the words that are out already, so nothing is said twice.
 */
import type * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Queue from "effect/Queue"
import * as Stream from "effect/Stream"
import type { Chain, Link } from "../../kernel/Chain.ts"
import { type Failure, Terminal } from "../../kernel/Failure.ts"
import type { Engine, ReplyPart, ReplyRequest } from "./Engine.ts"

/** The tries are used up: the person hears of it now, instead of after the runtime's own tries. */
const final = (failure: Failure): Failure =>
  failure.code.startsWith("provider.") ? new Terminal({ code: failure.code, message: failure.message }) : failure

/** @param links asked for with each request, so that settings change with the next turn */
export const fallback = (chain: Chain, links: Effect.Effect<ReadonlyArray<Link<Engine>>>): Engine => {
  const first = Effect.flatMap(links, ([link]) =>
    link === undefined
      ? Effect.fail(new Terminal({ code: "engine.unavailable", message: "No language model is configured. Run: npx voxbus doctor" }))
      : Effect.succeed(link)
  )

  const through = (request: ReplyRequest, all: ReadonlyArray<Link<Engine>>): Stream.Stream<ReplyPart, Failure> =>
    Stream.callback<ReplyPart, Failure>((queue: Queue.Queue<ReplyPart, Failure | Cause.Done>) =>
      Effect.gen(function* () {
        let said = request.prefix
        yield* chain.run(
          all,
          Effect.fnUntraced(function* (engine, name) {
            const messages = engine === all[0]?.engine ? request.messages : yield* engine.shape(request.messages, request)
            yield* engine.reply({ ...request, messages, prefix: said }).pipe(
              Stream.runForEach((part) => {
                if (part._tag === "Token") said += part.text
                return Queue.offer(queue, part._tag === "Done" ? { ...part, engine: name, messages } : part)
              })
            )
          })
        )
        yield* Queue.end(queue)
      }).pipe(Effect.catch((failure) => Queue.fail(queue, final(failure))))
    )

  return {
    name: "auto",
    prepare: Effect.flatMap(links, (all) =>
      all.length === 1
        ? Effect.flatMap(first, ({ engine }) => engine.prepare)
        : Effect.forEach(all, ({ engine }) => Effect.ignore(engine.prepare), { discard: true })
    ),
    shape: (messages, request) => Effect.flatMap(first, ({ engine }) => engine.shape(messages, request)),
    reply: (request) => Stream.unwrap(Effect.map(links, (all) => through(request, all))),
    anticipate: (messages, request) => Effect.flatMap(links, ([link]) => link?.engine.anticipate?.(messages, request) ?? Effect.void)
  }
}
