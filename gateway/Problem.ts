/** A failure as an HTTP answer: `{ error, message, details, request_id, recoverable }` and the status of its code. */
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import { type ErrorCode, ERRORS } from "../contract/Errors.ts"

const STATUS: Partial<Record<ErrorCode, number>> = {
  "access.denied": 401,
  "access.forbidden": 403,
  "request.limited": 429,
  "request.too_large": 413,
  "route.unknown": 404,
  "session.unknown": 404,
  "input.missing": 404,
  "model.missing": 404,
  "instance.running": 409,
  "bus.unavailable": 503,
  "engine.unavailable": 503,
  "engine.timeout": 504,
  "provider.unavailable": 502,
  "provider.auth": 502,
  "provider.rejected": 502,
  "disk.full": 507
}

/** The kinds of the exit codes: usage and input are the caller's, set-up and network are a service that is not there. */
const BY_EXIT: Readonly<Record<number, number>> = { 2: 400, 3: 422, 4: 503, 5: 500, 6: 502 }

export const statusOf = (code: ErrorCode): number => (code === "input.invalid" ? 400 : (STATUS[code] ?? BY_EXIT[ERRORS[code].exit] ?? 500))

export interface Problem {
  readonly code: ErrorCode
  readonly message: string
  readonly details?: Readonly<Record<string, unknown>>
}

/** @param requestId as in the header `X-Request-Id` of the answer */
export const problemBody = ({ code, message, details }: Problem, requestId: string) => ({
  error: code,
  message,
  details: { fix: ERRORS[code].fix, ...details },
  request_id: requestId,
  recoverable: ERRORS[code].recoverable
})

export const problemResponse = (problem: Problem, requestId: string, headers: Record<string, string> = {}) =>
  HttpServerResponse.jsonUnsafe(problemBody(problem, requestId), {
    status: statusOf(problem.code),
    headers: { ...headers, "x-request-id": requestId }
  })
