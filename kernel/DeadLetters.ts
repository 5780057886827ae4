/**
 * What could not be handled: the event as it was, in the stream `DLQ` with the reason in its headers, and an
 * `error.raised` in the session that the user sees.
 */
import * as Effect from "effect/Effect"
import { ERRORS } from "../contract/Errors.ts"
import type { ErrorRaised } from "../contract/Events.ts"
import { HEADERS } from "../contract/Subjects.ts"
import { Bus, type Delivery, type Headers } from "./Bus.ts"
import { decode, encode } from "./Envelope.ts"
import type { Failure } from "./Failure.ts"

export const DEAD = {
  code: "Vox-Dead-Code",
  message: "Vox-Dead-Message",
  subject: "Vox-Dead-Subject",
  attempts: "Vox-Dead-Attempts"
} as const

/** `dlq.<actor>.<what is left of the subject after noun and verb>`. */
const deadSubject = (actor: string, subject: string) => ["dlq", actor, ...subject.split(".").slice(2)].join(".")

/** `Nats-...` headers are instructions to the server (ids, expectations), not facts about the event. */
const withoutServerHeaders = (headers: Headers): Headers =>
  Object.fromEntries(Object.entries(headers).filter(([name]) => !name.startsWith("Nats-")))

const oneLine = (message: string) => message.replaceAll(/\s+/g, " ").slice(0, 500)

/** Both records have deterministic ids: doing it again after a crash stores nothing twice. */
export const deadLetter = Effect.fnUntraced(function* (actor: string, delivery: Delivery, failure: Failure) {
  const bus = yield* Bus
  const cause = `${delivery.stream}:${delivery.sequence}`
  yield* bus.publish({
    subject: deadSubject(actor, delivery.subject),
    data: delivery.data,
    messageId: `dlq:${actor}:${cause}`,
    headers: {
      ...withoutServerHeaders(delivery.headers),
      [HEADERS.actor]: actor,
      [HEADERS.cause]: cause,
      [DEAD.code]: failure.code,
      [DEAD.message]: oneLine(failure.message),
      [DEAD.subject]: delivery.subject,
      [DEAD.attempts]: String(delivery.attempt)
    }
  })
  const event = yield* Effect.option(decode(delivery))
  if (event._tag === "None" || !("session" in event.value)) return
  const { mode, session } = event.value
  const raised: typeof ErrorRaised.Type = {
    _tag: "error.raised",
    v: 1,
    mode,
    session,
    actor,
    ...("unit" in event.value && event.value.unit !== undefined ? { unit: event.value.unit } : {}),
    code: failure.code,
    message: oneLine(failure.message),
    recoverable: ERRORS[failure.code].recoverable,
    cause,
    subject: delivery.subject,
    attempts: delivery.attempt
  }
  yield* bus.publish(yield* encode(raised, { actor, cause, messageId: `${actor}@dead:${cause}` }))
})
