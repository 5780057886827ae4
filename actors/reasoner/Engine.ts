/**
 * What a language model is to the reasoner: messages in, a stream of text out. One file in `engines/` per kind of model;
 * `Engines.ts` is the registry.
 */
import type * as Effect from "effect/Effect"
import type * as Stream from "effect/Stream"
import type { Failure } from "../../kernel/Failure.ts"

export interface Message {
  readonly role: "system" | "user" | "assistant"
  readonly content: string
}

export interface ReplyRequest {
  /** Exactly what `shape` returned. */
  readonly messages: ReadonlyArray<Message>
  readonly maxTokens: number
  /** 0 always takes the most probable token. */
  readonly temperature: number
  /** Name as the engine knows it; empty: the engine's default. */
  readonly model: string
  /** Text of the answer that is published already (the turn was interrupted by a crash): go on after it. */
  readonly prefix: string
}

export interface Token {
  readonly _tag: "Token"
  readonly text: string
}

export interface Done {
  readonly _tag: "Done"
  readonly model: string
  readonly finish: "stop" | "length"
  /** Tokens; 0 where the provider does not say. */
  readonly usage: { readonly promptTokens: number; readonly completionTokens: number }
}

export type ReplyPart = Token | Done

export interface Engine {
  readonly name: string
  /** Loads and warms what the default model needs. */
  readonly prepare: Effect.Effect<void, Failure>
  /** The messages as they will be sent: made to fit the model's window, with what this engine adds. */
  readonly shape: (
    messages: ReadonlyArray<Message>,
    request: Pick<ReplyRequest, "maxTokens" | "model">
  ) => Effect.Effect<ReadonlyArray<Message>, Failure>
  /** Tokens as they come, then one `Done`. Interrupting it stops the generation. */
  readonly reply: (request: ReplyRequest) => Stream.Stream<ReplyPart, Failure>
  /**
   * Told after an answer what the next question will follow on, so that it can be read ahead of it. Returns at once and
   * works in the background; a question interrupts it.
   */
  readonly anticipate?: (messages: ReadonlyArray<Message>, request: Pick<ReplyRequest, "maxTokens" | "model">) => Effect.Effect<void>
}
