/**
 * What every actor lives in: take -> decode -> heartbeat while busy -> run -> publish with a deterministic id -> confirm
 * the ack; on failure retry, back off or dead-letter.
 *
 * The n-th output of an event always has the id `<actor>@<logicVersion>:<stream>:<sequence>:<n>`, so a second run after
 * a crash stores nothing twice. The input is acknowledged after its last output is in the log: a crash before costs a
 * repetition, never a loss.
 */
import * as Cause from "effect/Cause"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Metric from "effect/Metric"
import * as Option from "effect/Option"
import * as Random from "effect/Random"
import * as Schedule from "effect/Schedule"
import * as Stream from "effect/Stream"
import type { Event, SessionEvent } from "../contract/Events.ts"
import { eventStream, filterOf, HEADERS } from "../contract/Subjects.ts"
import type { Actor, ActorContext, Consumes } from "./Actor.ts"
import { Bus, type Consumer, type ConsumerSpec, type Delivery } from "./Bus.ts"
import { deadLetter } from "./DeadLetters.ts"
import { decode, encode } from "./Envelope.ts"
import { describe, type Failure, Retryable, Terminal } from "./Failure.ts"
import { history } from "./History.ts"
import { parentOf, traceparent } from "./Trace.ts"

const ATTEMPTS = 5
/** Milliseconds of the first pause before another try; doubled each time up to the cap. */
const BACKOFF_MS = 250
const BACKOFF_CAP_MS = 10_000
const POLL_MS = 2_000

const count = (name: string, actor: string) =>
  Metric.withAttributes(Metric.counter(`voxbus_${name}_total`, { incremental: true }), { actor })

/** The consumers an actor works from: one per mode, shared by all its processes. */
export const consumersOf = (actor: Pick<Actor, "name" | "consumes">, ackWaitMs: number): ReadonlyArray<ConsumerSpec> =>
  actor.consumes.map((consumes) => specOf(actor, consumes, ackWaitMs))

const specOf = (actor: Pick<Actor, "name">, { mode, tags }: Consumes, ackWaitMs: number): ConsumerSpec => ({
  stream: eventStream(mode),
  durable: actor.name,
  filters: tags.map((tag) => filterOf(tag, mode)),
  ackWaitMs
})

const isSessionEvent = (event: Event): event is SessionEvent => "session" in event

const backoff = (attempt: number) =>
  Effect.map(Random.nextBetween(0.8, 1.2), (jitter) => jitter * Math.min(BACKOFF_CAP_MS, BACKOFF_MS * 2 ** (attempt - 1)))

/** A defect or a stray error is a fault of ours: tried again, then dead-lettered like any other. */
const failureOf = (cause: Cause.Cause<Failure>): Failure =>
  Option.getOrElse(
    Cause.findErrorOption(cause),
    () => new Retryable({ code: "internal", message: `An unexpected fault: ${describe(Cause.squash(cause))}`, cause: Cause.squash(cause) })
  )

/** Publishes one output; `n` counts the outputs of one input. */
const publish = Effect.fnUntraced(function* (
  actor: Pick<Actor<never>, "name" | "logicVersion" | "publishes">,
  delivery: Delivery,
  event: Event,
  n: number
) {
  const bus = yield* Bus
  if (!actor.publishes.includes(event._tag)) {
    return yield* new Terminal({ code: "internal", message: `${actor.name} published ${event._tag}, which it does not declare.` })
  }
  const outgoing = yield* encode(event, {
    actor: actor.name,
    cause: `${delivery.stream}:${delivery.sequence}`,
    messageId: `${actor.name}@${actor.logicVersion}:${delivery.stream}:${delivery.sequence}:${n}`,
    headers: yield* traceparent
  })
  yield* bus.publish(outgoing)
})

/** Runs the actor's function on one event and publishes what comes of it. */
const run = Effect.fnUntraced(function* <R>(actor: Actor<R>, delivery: Delivery) {
  const services = yield* Effect.context<Bus>()
  const event = yield* decode(delivery)
  if (!isSessionEvent(event)) {
    return yield* new Terminal({ code: "event.invalid", message: `${event._tag} does not belong to a session.` })
  }
  const context: ActorContext = {
    stream: delivery.stream,
    sequence: delivery.sequence,
    time: delivery.time,
    attempt: delivery.attempt,
    history: (tags) => Effect.provide(history(event.mode, event.session, tags), services)
  }
  let n = 0
  yield* actor.handle(event, context).pipe(Stream.runForEach((output) => Effect.suspend(() => publish(actor, delivery, output, n++))))
})

/** Settles one delivery: acknowledged, given back with a delay, or moved to the dead letters. */
const settle = Effect.fnUntraced(function* <R>(actor: Actor<R>, delivery: Delivery) {
  const attempts = actor.attempts ?? ATTEMPTS
  const exit =
    delivery.attempt > attempts
      ? yield* Effect.exit(
          Effect.fail<Failure>(new Terminal({ code: "engine.failed", message: `${actor.name} stopped working on this ${attempts} times.` }))
        )
      : yield* Effect.exit(run(actor, delivery))
  if (exit._tag === "Success") {
    yield* delivery.ack
    yield* Effect.logDebug("handled").pipe(Effect.annotateLogs({ subject: delivery.subject, attempt: delivery.attempt }))
    return yield* Metric.update(count("handled", actor.name), 1)
  }
  if (Cause.hasInterruptsOnly(exit.cause)) return yield* delivery.retry(0)
  const failure = failureOf(exit.cause)
  if (failure._tag === "Terminal" || delivery.attempt >= attempts) {
    yield* Effect.logError("dead letter").pipe(
      Effect.annotateLogs({ code: failure.code, subject: delivery.subject, attempts: delivery.attempt, reason: failure.message })
    )
    yield* deadLetter(actor.name, delivery, failure)
    yield* Metric.update(count("dead", actor.name), 1)
    return yield* delivery.drop(failure.code)
  }
  const delayMs = failure.delayMs ?? (yield* backoff(delivery.attempt))
  yield* Effect.logWarning("will try again").pipe(
    Effect.annotateLogs({
      code: failure.code,
      subject: delivery.subject,
      attempt: delivery.attempt,
      delayMs: Math.round(delayMs),
      reason: failure.message
    })
  )
  yield* Metric.update(count("retried", actor.name), 1)
  yield* delivery.retry(delayMs)
})

const handle = <R>(actor: Actor<R>, delivery: Delivery, ackWaitMs: number) =>
  settle(actor, delivery).pipe(
    Effect.raceFirst(delivery.working.pipe(Effect.repeat(Schedule.spaced(Math.min(1_000, ackWaitMs / 2.5))), Effect.andThen(Effect.never))),
    Effect.withSpan(`${actor.name} ${delivery.subject.split(".", 2).join(".")}`, {
      kind: "consumer",
      ...Option.match(parentOf(delivery.headers), { onNone: () => ({ root: true }), onSome: (parent) => ({ parent }) }),
      attributes: {
        "voxbus.stream": delivery.stream,
        "voxbus.sequence": delivery.sequence,
        "voxbus.message_id": delivery.headers[HEADERS.messageId] ?? ""
      }
    }),
    // The log could not be reached to settle it: the server delivers it again.
    Effect.catch((failure) =>
      Effect.logWarning("not settled; it will be delivered again").pipe(Effect.annotateLogs({ reason: failure.message }))
    )
  )

export interface Running {
  /** Takes nothing new, finishes what it holds, returns. */
  readonly drain: Effect.Effect<void>
}

/**
 * Runs an actor until its scope closes. Returns when it is prepared and takes events.
 *
 * @param actor the declaration
 * @param options.ackWaitMs milliseconds after which a silent process loses its unit to another
 * @returns a handle to drain it; fails when `prepare` fails
 */
export const start = Effect.fnUntraced(function* <R>(actor: Actor<R>, options: { readonly ackWaitMs: number }) {
  const bus = yield* Bus
  const stop = yield* Deferred.make<undefined>()
  if (actor.prepare !== undefined) yield* actor.prepare
  const slot = (consumer: Consumer) =>
    consumer.next(POLL_MS).pipe(
      // A message that arrives in just this moment goes to another process after the ack wait.
      Effect.raceFirst(Deferred.await(stop)),
      Effect.catch((failure) =>
        Effect.logDebug("bus").pipe(
          Effect.annotateLogs({ reason: failure.message }),
          Effect.andThen(Effect.sleep("200 millis")),
          Effect.as(undefined)
        )
      ),
      Effect.flatMap((delivery) => (delivery === undefined ? Effect.void : handle(actor, delivery, options.ackWaitMs))),
      Effect.repeat({ until: () => Deferred.isDone(stop) })
    )
  const lanes = yield* Effect.forEach(actor.consumes, (consumes) =>
    bus.consumer(specOf(actor, consumes, options.ackWaitMs)).pipe(
      // The launcher starts its processes before it has set up the consumers.
      Effect.retry(Schedule.spaced("50 millis").pipe(Schedule.upTo({ duration: "15 seconds" }))),
      Effect.map((consumer) => ({ consumer, concurrency: consumes.concurrency }))
    )
  )
  const slots = lanes.flatMap(({ consumer, concurrency }) => Array.from({ length: concurrency }, () => slot(consumer)))
  const fiber = yield* Effect.all(slots, { concurrency: "unbounded", discard: true }).pipe(
    Effect.annotateLogs({ actor: actor.name }),
    Effect.forkScoped
  )
  const running: Running = { drain: Deferred.succeed(stop, undefined).pipe(Effect.andThen(Fiber.join(fiber)), Effect.ignore) }
  return running
})
