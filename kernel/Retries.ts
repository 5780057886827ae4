/**
 * Another try of a dead letter: a message on `retry.<actor>...` that names the event; the actor takes it from a second
 * consumer and works on the event as it stands in its own stream, under its own number. So what comes of it has the same
 * cause and the same identity as it would have had the first time, and is stored once.
 */
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import { HEADERS, type StreamName } from "../contract/Subjects.ts"
import { Bus, type ConsumerSpec, type Delivery, type Recorded } from "./Bus.ts"
import { DEAD } from "./DeadLetters.ts"
import { Terminal } from "./Failure.ts"

export const RETRY_STREAM = "RETRY" satisfies StreamName

/** Taken by all processes of the actor; one letter at a time each. */
export const retryConsumer = (actor: string, ackWaitMs: number): ConsumerSpec => ({
  stream: RETRY_STREAM,
  durable: actor,
  filters: [`retry.${actor}.>`],
  ackWaitMs
})

const isEventStream = (name: string): name is StreamName => name === "CALLS" || name === "ASSISTANT" || name === "HOST"

/** The event at `place` (`stream:sequence`), as long as its stream keeps it. */
export const eventAt = Effect.fnUntraced(function* (place: string, subject: string) {
  const bus = yield* Bus
  const [stream = "", sequence = ""] = place.split(":")
  const missing = new Terminal({ code: "event.missing", message: `The event ${place} is not on the log any more.` })
  if (!isEventStream(stream)) return yield* missing
  const found = yield* Stream.runCollect(bus.range(stream, subject, Number(sequence), Number(sequence)))
  const event: Recorded | undefined = found[0]
  return event === undefined ? yield* missing : event
})

/** The delivery of the event that a retry names: settling it settles the retry. */
export const originalOf = Effect.fnUntraced(function* (retry: Delivery) {
  const event = yield* eventAt(retry.headers[HEADERS.cause] ?? "", retry.headers[DEAD.subject] ?? "")
  const { attempt, ack, drop, working } = retry
  const delivery: Delivery = {
    ...event,
    headers: { ...event.headers, [HEADERS.retry]: retry.headers[HEADERS.retry] ?? "0" },
    attempt,
    ack,
    drop,
    working,
    retry: retry.retry
  }
  return delivery
})
