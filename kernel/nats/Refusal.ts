/** What an error of the NATS client means for us: denied, missing, or over in a moment. */
import { JetStreamApiError } from "@nats-io/jetstream"
import { PermissionViolationError } from "@nats-io/transport-node"
import * as Effect from "effect/Effect"
import { describe, Retryable } from "../Failure.ts"

/** Codes of the JetStream API. */
export const WRONG_LAST_SEQUENCE = 10071
export const CONSUMER_NOT_FOUND = 10014
export const STREAM_NOT_FOUND = 10059
export const NO_MESSAGE_FOUND = 10037
export const SEQUENCE_NOT_FOUND = 10043

export const unavailable = (doing: string) => (cause: unknown) =>
  new Retryable({ code: "bus.unavailable", message: `The event bus did not answer (${doing}): ${describe(cause)}`, cause })

export const attempt = <A>(doing: string, run: () => Promise<A>) => Effect.tryPromise({ try: run, catch: unavailable(doing) })

export const apiCode = (cause: unknown): number | undefined => (cause instanceof JetStreamApiError ? cause.code : undefined)

/** The client wraps the server's "permissions violation" in errors of its own. */
export const isForbidden = (cause: unknown): boolean =>
  cause instanceof PermissionViolationError || (cause instanceof Error && cause.cause !== undefined && isForbidden(cause.cause))

/** "There is none", as opposed to "nobody could say". */
export const unlessMissing = (code: number) => (cause: unknown) => {
  if (apiCode(cause) === code) return undefined
  throw cause
}
