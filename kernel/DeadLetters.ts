/**
 * What could not be handled: in the stream `DLQ` which event it was and why, and an `error.raised` in the session that the
 * user sees. The event itself stays where it is in its own stream, so a letter holds no content: what a person said in a
 * conversation does not reach the disk this way, and deleting a session deletes it.
 */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { ERRORS } from "../contract/Errors.ts"
import type { ErrorRaised } from "../contract/Events.ts"
import { Mode, SessionId } from "../contract/Session.ts"
import { HEADERS } from "../contract/Subjects.ts"
import { Bus, type Delivery, type Headers } from "./Bus.ts"
import { encode } from "./Envelope.ts"
import { type Failure, Terminal } from "./Failure.ts"
import { history } from "./History.ts"

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

const isMode = Schema.is(Mode)
const isSession = Schema.is(SessionId)

/** Whose event it is, by its subject: the body may be what is wrong with it. */
export const ownerOf = (subject: string): { readonly mode: Mode; readonly session: SessionId; readonly unit?: number } | undefined => {
  const [, , mode, session, unit = ""] = subject.split(".")
  if (!isMode(mode) || !isSession(session)) return undefined
  return { mode, session, ...(/^\d{6}$/.test(unit) && Number(unit) > 0 ? { unit: Number(unit) } : {}) }
}

/** Subjects whose fifth token is a version, not a unit. */
const VERSIONED = /^(transcript|bundle)\./

/** Which try of the event a record is about: absent for the first, the number of the dead letter for a retry. */
const retryOf = (delivery: Delivery): { readonly retry?: number } => {
  const retry = delivery.headers[HEADERS.retry]
  return retry === undefined ? {} : { retry: Number(retry) }
}

/**
 * Why this actor gave the event up, if it did: its process may have died before the server knew. The event would be
 * delivered again, and could succeed now, so that it would be both dead and done.
 */
export const givenUp = Effect.fnUntraced(function* (actor: string, delivery: Delivery) {
  const owner = ownerOf(delivery.subject)
  if (owner === undefined) return undefined
  const cause = `${delivery.stream}:${delivery.sequence}`
  const { retry } = retryOf(delivery)
  const raised = yield* history(owner.mode, owner.session, ["error.raised"])
  const own = raised.find(({ event }) => event.actor === actor && event.cause === cause && event.retry === retry)?.event
  return own === undefined ? undefined : new Terminal({ code: own.code, message: own.message })
})

/**
 * Both records have deterministic ids: doing it again after a crash stores nothing twice. `error.raised` comes first,
 * because it is what `givenUp` asks for.
 */
export const deadLetter = Effect.fnUntraced(function* (actor: string, delivery: Delivery, failure: Failure) {
  const bus = yield* Bus
  const cause = `${delivery.stream}:${delivery.sequence}`
  const { retry } = retryOf(delivery)
  const id = retry === undefined ? cause : `${cause}:r${retry}`
  const owner = ownerOf(delivery.subject)
  if (owner !== undefined) {
    const { mode, session, unit } = owner
    const raised: typeof ErrorRaised.Type = {
      _tag: "error.raised",
      v: 1,
      mode,
      session,
      actor,
      ...(unit === undefined || VERSIONED.test(delivery.subject) ? {} : { unit }),
      code: failure.code,
      message: oneLine(failure.message),
      recoverable: ERRORS[failure.code].recoverable,
      cause,
      subject: delivery.subject,
      attempts: delivery.attempt,
      ...retryOf(delivery)
    }
    yield* bus.publish(yield* encode(raised, { actor, cause, messageId: `${actor}@dead:${id}` }))
  }
  yield* letter(actor, delivery, failure)
})

/** The letter alone: nothing is missing in the session. */
export const letter = Effect.fnUntraced(function* (actor: string, delivery: Delivery, failure: Failure) {
  const bus = yield* Bus
  const cause = `${delivery.stream}:${delivery.sequence}`
  const { retry } = retryOf(delivery)
  const id = retry === undefined ? cause : `${cause}:r${retry}`
  yield* bus.publish({
    subject: deadSubject(actor, delivery.subject),
    data: new Uint8Array(),
    messageId: `dlq:${actor}:${id}`,
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
})
