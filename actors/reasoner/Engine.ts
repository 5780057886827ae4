/**
 * What a language model is to the reasoner: messages in, a stream of text out. One file in `engines/` per kind of model;
 * `Engines.ts` is the registry.
 */
import type * as Effect from "effect/Effect"
import type * as Stream from "effect/Stream"
import type { Failure } from "../../kernel/Failure.ts"

/** What a model wants done, as it wrote it. */
export interface ToolCall {
  readonly id: string
  readonly name: string
  /** JSON. */
  readonly arguments: string
}

export interface Message {
  readonly role: "system" | "user" | "assistant" | "tool"
  readonly content: string
  /** Of an assistant: what it asked for in place of an answer; a message of role `tool` follows for each. */
  readonly toolCalls?: ReadonlyArray<ToolCall>
  /** Of a tool: the call that this is the result of. */
  readonly toolCallId?: string
}

/** A tool as it is described to a model. */
export interface ToolDescription {
  /** Letters, digits, `_` and `-`, at most 64. */
  readonly name: string
  readonly description: string
  /** JSON Schema of an object. */
  readonly parameters: Readonly<Record<string, unknown>>
}

/** For models that know nothing of tools. */
export const withoutTools = (messages: ReadonlyArray<Message>): ReadonlyArray<Message> =>
  messages.filter(({ role, toolCalls }) => role !== "tool" && toolCalls === undefined)

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
  /** What the model may ask for; engines whose model cannot do that take no notice. */
  readonly tools?: ReadonlyArray<ToolDescription>
}

export interface Token {
  readonly _tag: "Token"
  readonly text: string
}

export interface Done {
  readonly _tag: "Done"
  readonly model: string
  /** The engine that answered and what it was sent, where those asked are several. */
  readonly engine?: string
  readonly messages?: ReadonlyArray<Message>
  readonly finish: "stop" | "length"
  /** What the model wants done before it goes on. */
  readonly calls?: ReadonlyArray<ToolCall>
  /** Tokens; 0 where the provider does not say. */
  readonly usage: { readonly promptTokens: number; readonly completionTokens: number }
}

export type ReplyPart = Token | Done

export interface Engine {
  readonly name: string
  /** Tokens of prompt and answer together, where the engine knows. */
  readonly windowTokens?: number
  /** Loads and warms what the default model needs. */
  readonly prepare: Effect.Effect<void, Failure>
  /** The messages as they will be sent: made to fit the model's window, with what this engine adds. */
  readonly shape: (
    messages: ReadonlyArray<Message>,
    request: Pick<ReplyRequest, "maxTokens" | "model">
  ) => Effect.Effect<ReadonlyArray<Message>, Failure>
  /** Tokens as they come, then one `Done`. Interrupting it stops the generation. */
  readonly reply: (request: ReplyRequest) => Stream.Stream<ReplyPart, Failure>
  /** Asking it in vain costs nothing but time here: it may be asked before the question is final. */
  readonly speculative?: boolean
  /**
   * Told after an answer what the next question will follow on, so that it can be read ahead of it. Returns at once and
   * works in the background; a question interrupts it.
   */
  readonly anticipate?: (messages: ReadonlyArray<Message>, request: Pick<ReplyRequest, "maxTokens" | "model">) => Effect.Effect<void>
}
