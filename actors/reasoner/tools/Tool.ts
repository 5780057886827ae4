/**
 * What a model can have done for it. One file per tool in this folder, one line in `registry.ts`.
 *
 * A tool only reads by itself; whoever changes something asks a command over the bus, which says who may and keeps the
 * audit log. Every call has one result for ever (`Calls.ts`): a tool says whether it may run twice.
 */
import type * as Effect from "effect/Effect"
import type { SessionId } from "../../../contract/Session.ts"
import type { ActorContext } from "../../../kernel/Actor.ts"
import type { Failure } from "../../../kernel/Failure.ts"
import type { ToolDescription } from "../Engine.ts"

export interface ToolContext extends Pick<ActorContext, "ask"> {
  readonly session: SessionId
  /** Of this call, the same when it is tried again after a crash: for commands that take one. */
  readonly key: string
}

export interface Tool extends ToolDescription {
  /**
   * Whether a call that was cut off by a crash may simply be made again: it only reads, or its command knows the key.
   * Else the model is told that nobody knows what came of it.
   */
  readonly repeatable: boolean
  /**
   * @param input the arguments, JSON as the model made it; not checked
   * @returns what the model is told; a failure is told too
   */
  readonly run: (input: unknown, context: ToolContext) => Effect.Effect<string, Failure>
}
