/**
 * Trace context in message headers (W3C `traceparent`): one trace per call or turn, over all processes.
 */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Tracer from "effect/Tracer"
import { HEADERS } from "../contract/Subjects.ts"
import type { Headers } from "./Bus.ts"

const FORM = /^00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})$/

/** The span that a message was published from, if it says so. */
export const parentOf = (headers: Headers): Option.Option<Tracer.ExternalSpan> => {
  const [, traceId, spanId, flags] = FORM.exec(headers[HEADERS.traceparent] ?? "") ?? []
  return traceId === undefined || spanId === undefined
    ? Option.none()
    : Option.some(Tracer.externalSpan({ traceId, spanId, sampled: (Number.parseInt(flags ?? "0", 16) & 1) === 1 }))
}

/** The header of the current span. */
export const traceparent: Effect.Effect<Headers> = Effect.currentSpan.pipe(
  Effect.map((span) => ({ [HEADERS.traceparent]: `00-${span.traceId}-${span.spanId}-${span.sampled ? "01" : "00"}` })),
  Effect.orElseSucceed(() => ({}))
)
