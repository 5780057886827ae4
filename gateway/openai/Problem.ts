/**
 * Failures as OpenAI's clients expect them: `{ error: { message, type, param, code } }`. The code is ours, from the table of
 * error codes; the message ends with what to do about it.
 */
import * as Effect from "effect/Effect"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import { type ErrorCode, ERRORS } from "../../contract/Errors.ts"
import { type Failure, Terminal } from "../../kernel/Failure.ts"
import { statusOf } from "../Problem.ts"
import { Limited } from "../RateLimit.ts"
import { RequestId } from "../RequestContext.ts"

/** Something is wrong with one parameter. */
export class Parameter extends Terminal {
  readonly param: string
  constructor(param: string, message: string) {
    super({ code: "input.invalid", message })
    this.param = param
  }
}

const typeOf = (status: number): string => {
  if (status === 401) return "authentication_error"
  if (status === 403) return "permission_error"
  if (status === 429) return "rate_limit_error"
  return status < 500 ? "invalid_request_error" : "server_error"
}

/** 422 is 400 here: audio that cannot be decoded is a bad request to these clients. */
const openAiStatus = (code: ErrorCode): number => (statusOf(code) === 422 ? 400 : statusOf(code))

interface Told {
  readonly code: ErrorCode
  readonly message: string
}

export const openAiBody = (failure: Told) => ({
  error: {
    message: failure instanceof Parameter ? failure.message : `${failure.message} ${ERRORS[failure.code].fix}`,
    type: typeOf(openAiStatus(failure.code)),
    param: failure instanceof Parameter ? failure.param : null,
    code: failure.code
  }
})

export const openAiResponse = (failure: Told, requestId: string, headers: Record<string, string> = {}) =>
  HttpServerResponse.jsonUnsafe(openAiBody(failure), {
    status: openAiStatus(failure.code),
    headers: {
      ...headers,
      "x-request-id": requestId,
      // The official clients try again what cannot work otherwise.
      "x-should-retry": String(ERRORS[failure.code].recoverable),
      ...(failure instanceof Limited ? { "retry-after": String(failure.retryAfterSeconds) } : {}),
      // What is left of an upload that is refused is not read.
      ...(failure.code === "request.too_large" ? { connection: "close" } : {})
    }
  })

const FAULT: Told = { code: "internal", message: "The request could not be handled because of a fault in Voxbus." }

/** Answers a failure of any kind. */
export const openAiAnswered = <R>(work: Effect.Effect<HttpServerResponse.HttpServerResponse, Failure, R>) =>
  Effect.flatMap(RequestId, (id) =>
    work.pipe(
      Effect.catch((failure) => Effect.succeed(openAiResponse(failure, id))),
      Effect.catchDefect((defect) =>
        Effect.logError("a request could not be handled", defect).pipe(
          Effect.annotateLogs({ request: id }),
          Effect.as(openAiResponse(FAULT, id))
        )
      )
    )
  )
