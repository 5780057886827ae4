/**
 * What every actor lives in: take -> decode -> heartbeat while busy -> run -> publish with a deterministic id -> confirm
 * the ack; on failure retry, back off or dead-letter.
 *
 * The n-th output of an event always has the id `<actor>@<logicVersion>:<stream>:<sequence>:<n>`, so a second run after
 * a crash stores nothing twice. The input is acknowledged after its last output is in the log: a crash before costs a
 * repetition, never a loss.
 *
 * An event is given up after five failures of the actor. Being delivered again because a process was killed or the bus
 * was away is no failure; but a poison input that kills whoever takes it is given up after 20 deliveries.
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
import { counter } from "./Counts.ts"
import { call } from "./Commands.ts"
import { crashAt, sabotage } from "./CrashPoints.ts"
import { deadLetter, givenUp } from "./DeadLetters.ts"
import { decode, encode } from "./Envelope.ts"
import { describe, type Failure, Retryable, Terminal } from "./Failure.ts"
import { everything, history } from "./History.ts"
import { originalOf, RETRY_STREAM, retryConsumer } from "./Retries.ts"
import { parentOf, traceparent } from "./Trace.ts"

const ATTEMPTS = 5
/** Deliveries per failure that is allowed: what nobody ever finishes, without a failure, ends here. */
const DELIVERIES = 4
/** Events whose failures a process remembers; each goes when it is settled here. */
const REMEMBERED = 1_000
/** Milliseconds of the first pause before another try; doubled each time up to the cap. */
const BACKOFF_MS = 250
const BACKOFF_CAP_MS = 10_000
/** Milliseconds of one request for work: also how long a process that leaves waits for what may be on its way. */
const POLL_MS = 1_000

/** The consumers an actor works from: one per mode and one for retries, shared by all its processes. */
export const consumersOf = (actor: Pick<Actor, "name" | "consumes">, ackWaitMs: number): ReadonlyArray<ConsumerSpec> => [
  ...actor.consumes.map((consumes) => specOf(actor, consumes, ackWaitMs)),
  retryConsumer(actor.name, ackWaitMs)
]

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
  yield* Effect.sync(() => crashAt(actor.name, n === 0 ? "before-publish" : "during-publish"))
  const { subject, data, headers } = outgoing
  yield* bus.publish(sabotage === "no-ids" ? { subject, data, ...(headers === undefined ? {} : { headers }) } : outgoing)
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
    ask: (spec, request, timeoutMs) =>
      actor.asks?.includes(spec.name) === true
        ? Effect.provide(call(spec, request, { as: actor.name, ...(timeoutMs === undefined ? {} : { timeoutMs }) }), services)
        : Effect.fail(new Terminal({ code: "internal", message: `${actor.name} asked ${spec.name}, which it does not declare.` })),
    history: (tags) => Effect.provide(history(event.mode, event.session, tags, delivery), services),
    everything: (tags, from) => Effect.provide(everything(event.mode, tags, from), services)
  }
  let n = 0
  yield* Effect.sync(() => crashAt(actor.name, "before-work"))
  yield* actor.handle(event, context).pipe(Stream.runForEach((output) => Effect.suspend(() => publish(actor, delivery, output, n++))))
  yield* Effect.sync(() => crashAt(actor.name, "before-ack"))
})

/** Failures of events that are to be tried again, by stream and sequence. Lost with the process: then the deliveries count. */
interface Failures {
  readonly add: (delivery: Delivery) => number
  readonly forget: (delivery: Delivery) => void
}

const makeFailures = (): Failures => {
  const counts = new Map<string, number>()
  const key = ({ stream, sequence }: Delivery) => `${stream}:${sequence}`
  return {
    add: (delivery) => {
      const count = (counts.get(key(delivery)) ?? 0) + 1
      counts.delete(key(delivery))
      counts.set(key(delivery), count)
      const [oldest] = counts.keys()
      if (counts.size > REMEMBERED && oldest !== undefined) counts.delete(oldest)
      return count
    },
    forget: (delivery) => void counts.delete(key(delivery))
  }
}

/** The bus being away says nothing about the event. */
const counts = (failure: Failure) => failure._tag === "Terminal" || failure.code !== "bus.unavailable"

/** Moves an event to the dead letters. What is on the log decides: an event that was given up is not tried again. */
const giveUp = Effect.fnUntraced(function* <R>(actor: Actor<R>, delivery: Delivery, failure: Failure) {
  yield* Effect.logError("dead letter").pipe(
    Effect.annotateLogs({ code: failure.code, subject: delivery.subject, attempts: delivery.attempt, reason: failure.message })
  )
  yield* deadLetter(actor.name, delivery, failure)
  yield* delivery.drop(failure.code)
  yield* Metric.update(counter("dead", actor.name), 1)
})

/** What there is to work on: the delivery, or the event that a retry names. One that is gone ends in a letter of its own. */
const wanted = (actor: string, delivery: Delivery) =>
  delivery.stream !== RETRY_STREAM
    ? Effect.succeed<Delivery | undefined>(delivery)
    : originalOf(delivery).pipe(
        Effect.catchTag("Terminal", (gone) =>
          Effect.logError("cannot be tried again").pipe(
            Effect.annotateLogs({ actor, code: gone.code, reason: gone.message }),
            Effect.andThen(delivery.drop(gone.code)),
            Effect.as(undefined)
          )
        )
      )

/** Settles one delivery: acknowledged, given back with a delay, or moved to the dead letters. */
const settle = Effect.fnUntraced(function* <R>(actor: Actor<R>, delivery: Delivery, failures: Failures) {
  const attempts = actor.attempts ?? ATTEMPTS
  if (delivery.attempt > 1) {
    const earlier = yield* givenUp(actor.name, delivery)
    if (earlier !== undefined) return yield* giveUp(actor, delivery, earlier)
  }
  if (delivery.attempt > attempts * DELIVERIES) {
    const message = `${actor.name} stopped working on this ${delivery.attempt - 1} times without saying why.`
    return yield* giveUp(actor, delivery, new Terminal({ code: "engine.failed", message }))
  }
  if (sabotage === "ack-first") yield* delivery.ack
  const exit = yield* Effect.exit(run(actor, delivery))
  if (exit._tag === "Success") {
    failures.forget(delivery)
    if (sabotage !== "ack-first") yield* delivery.ack
    yield* Effect.logDebug("handled").pipe(Effect.annotateLogs({ subject: delivery.subject, attempt: delivery.attempt }))
    return yield* Metric.update(counter("handled", actor.name), 1)
  }
  if (Cause.hasInterruptsOnly(exit.cause)) return yield* delivery.retry(0)
  const failure = failureOf(exit.cause)
  yield* Metric.update(counter("failed", actor.name), 1)
  const failed = counts(failure) ? failures.add(delivery) : 0
  if (failure._tag === "Terminal" || failed >= attempts) {
    yield* giveUp(actor, delivery, failure)
    return failures.forget(delivery)
  }
  const delayMs = failure.delayMs ?? (yield* backoff(Math.max(1, failed)))
  yield* Effect.logWarning("will try again").pipe(
    Effect.annotateLogs({
      code: failure.code,
      subject: delivery.subject,
      attempt: delivery.attempt,
      delayMs: Math.round(delayMs),
      reason: failure.message
    })
  )
  yield* Metric.update(counter("retried", actor.name), 1)
  yield* delivery.retry(delayMs)
})

const handle = <R>(actor: Actor<R>, delivery: Delivery, ackWaitMs: number, failures: Failures) =>
  wanted(actor.name, delivery).pipe(
    Effect.flatMap((work) => (work === undefined ? Effect.void : settle(actor, work, failures))),
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
 * @param options.aside works beside those who do the work: on what comes from now on, and on no retries
 * @returns a handle to drain it; fails when `prepare` fails
 */
export const start = Effect.fnUntraced(function* <R>(actor: Actor<R>, options: { readonly ackWaitMs: number; readonly aside?: boolean }) {
  const bus = yield* Bus
  const stop = yield* Deferred.make<undefined>()
  const failures = makeFailures()
  if (actor.prepare !== undefined) yield* actor.prepare
  const slot = (consumer: Consumer) =>
    consumer.next(POLL_MS).pipe(
      // What arrives in just this moment is given back at once.
      Effect.raceFirst(Deferred.await(stop)),
      Effect.catch((failure) =>
        Effect.logDebug("bus").pipe(
          Effect.annotateLogs({ reason: failure.message }),
          Effect.andThen(Effect.sleep("200 millis")),
          Effect.as(undefined)
        )
      ),
      Effect.flatMap((delivery) => (delivery === undefined ? Effect.void : handle(actor, delivery, options.ackWaitMs, failures))),
      Effect.repeat({ until: () => Deferred.isDone(stop) })
    )
  const aside = options.aside === true
  const specs = [
    ...actor.consumes.map((consumes) => ({
      spec: { ...specOf(actor, consumes, options.ackWaitMs), ...(aside ? ({ from: "new" } as const) : {}) },
      concurrency: consumes.concurrency
    })),
    ...(aside ? [] : [{ spec: retryConsumer(actor.name, options.ackWaitMs), concurrency: 1 }])
  ]
  const lanes = yield* Effect.forEach(specs, ({ spec, concurrency }) =>
    bus.consumer(spec).pipe(
      // The launcher starts its processes before it has set up the consumers.
      Effect.retry({
        while: (failure) => failure._tag === "Retryable",
        schedule: Schedule.spaced("50 millis").pipe(Schedule.upTo({ duration: "15 seconds" }))
      }),
      Effect.map((consumer) => ({ consumer, concurrency }))
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
