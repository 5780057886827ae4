/**
 * The two ways to fail. An actor or engine fails with one of these and nothing else, so the runtime always knows
 * what to do: `Retryable` is delivered again after a delay, `Terminal` goes to the dead letters at once.
 *
 * @example
 * return yield* new Terminal({ code: "audio.unreadable", message: "notes.wav is text, not audio." })
 */
import * as Schema from "effect/Schema"
import { ErrorCode } from "../contract/Errors.ts"

const fields = {
  code: ErrorCode,
  /** For a person: what happened and to what. Never names content (words of a transcript, keys). */
  message: Schema.String,
  cause: Schema.optionalKey(Schema.Defect())
} as const

export class Retryable extends Schema.TaggedError<Retryable>()("Retryable", {
  ...fields,
  /** Milliseconds to wait; the runtime's exponential backoff when absent. */
  delayMs: Schema.optionalKey(Schema.Finite)
}) {}

export class Terminal extends Schema.TaggedError<Terminal>()("Terminal", fields) {}

export type Failure = Retryable | Terminal

/** The text of an unknown thrown value. */
export const describe = (cause: unknown): string => (cause instanceof Error ? cause.message : String(cause))

/** The `code` property that Node puts on system errors, such as `ENOENT`. */
export const systemCode = (cause: unknown): string | undefined =>
  typeof cause === "object" && cause !== null && "code" in cause && typeof cause.code === "string" ? cause.code : undefined
