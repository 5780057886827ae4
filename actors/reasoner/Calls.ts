/**
 * The calls of a turn. A call is on the log before it is made and its result after, so each has exactly one result for
 * ever: what a crash cut off is made again, or, where that could do it twice, ends in "nobody knows".
 *
 * A call that has begun is finished also when the turn is cut short: what it did is done, and the next turn knows of it.
 */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import type { EventOf } from "../../contract/Events.ts"
import type { ActorContext } from "../../kernel/Actor.ts"
import { describe, Terminal } from "../../kernel/Failure.ts"
import type { Message, ToolCall } from "./Engine.ts"
import type { Tool } from "./tools/Tool.ts"

type Called = EventOf<"tool.called">
type Finished = EventOf<"tool.finished">

const PATIENCE = "45 seconds"
/** Characters of a result that the model gets to see. */
const LONGEST = 8_000
const UNKNOWN = "The program stopped while this was being done. It is not known whether it was done; ask the user before you do it again."

const parsed = (text: string) =>
  Effect.try({
    try: (): unknown => (text.trim() === "" ? {} : JSON.parse(text)),
    catch: () => new Terminal({ code: "input.invalid", message: "The arguments are not JSON." })
  })

const outcome = (called: Called, tools: ReadonlyArray<Tool>, context: ActorContext, again: boolean) => {
  const tool = tools.find(({ name }) => name === called.name)
  if (tool === undefined) return Effect.succeed({ ok: false, result: `There is no tool ${called.name}.` })
  if (again && !tool.repeatable) return Effect.succeed({ ok: false, result: UNKNOWN })
  const { session, unit, call } = called
  return parsed(called.arguments).pipe(
    Effect.flatMap((input) => tool.run(input, { session, ask: context.ask, key: `${session}-${unit}-${call}` })),
    Effect.timeoutOrElse({
      duration: PATIENCE,
      orElse: () => Effect.fail(new Terminal({ code: "engine.timeout", message: "The tool took too long." }))
    }),
    Effect.map((result) => ({ ok: true, result })),
    Effect.catch(({ message }) => Effect.succeed({ ok: false, result: message })),
    Effect.catchCause((cause) =>
      Cause.hasInterruptsOnly(cause) ? Effect.failCause(cause) : Effect.succeed({ ok: false, result: describe(Cause.squash(cause)) })
    )
  )
}

/** Makes the call. @param again an earlier try may have made it */
export const finish = Effect.fnUntraced(function* (called: Called, tools: ReadonlyArray<Tool>, context: ActorContext, again: boolean) {
  const startedAt = performance.now()
  const { ok, result } = yield* outcome(called, tools, context, again)
  const { mode, session, unit, call, id, name, generation } = called
  const finished: Finished = {
    _tag: "tool.finished",
    v: 1,
    mode,
    session,
    unit,
    call,
    id,
    name,
    ok,
    result: result.slice(0, LONGEST),
    computeMs: performance.now() - startedAt,
    generation
  }
  return finished
})

export interface Asked {
  readonly base: Pick<Called, "v" | "mode" | "session" | "unit" | "generation">
  readonly calls: ReadonlyArray<ToolCall>
  readonly round: number
  /** Calls that the turn has made before. */
  readonly before: number
}

/** Each call and its result, one after the other; `results` is filled on the way. */
export const perform = (
  { base, calls, round, before }: Asked,
  tools: ReadonlyArray<Tool>,
  context: ActorContext,
  results: Array<Message>
): Stream.Stream<Called | Finished> =>
  Stream.fromIterable(calls).pipe(
    Stream.map((call, index): Called => ({
      _tag: "tool.called",
      ...base,
      call: before + index + 1,
      round,
      id: call.id,
      name: call.name,
      arguments: call.arguments
    })),
    Stream.flatMap((called) =>
      Stream.concat(
        Stream.succeed(called),
        Stream.fromEffect(
          Effect.tap(finish(called, tools, context, false), ({ id, result }) =>
            Effect.sync(() => void results.push({ role: "tool", content: result, toolCallId: id }))
          )
        )
      )
    )
  )
