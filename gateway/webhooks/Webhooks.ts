/**
 * The webhooks of this installation. Each has durable consumers on the log, made together with it, so what happens while the
 * program or the receiver is away is delivered later: at least once, `webhook-id` tells a repetition, and in order unless
 * an event had to wait for another try. What the receiver does not take in so many tries is a dead letter.
 */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Schedule from "effect/Schedule"
import type * as Scope from "effect/Scope"
import { randomBytes } from "node:crypto"
import type { Webhook } from "../../contract/WebhookCommands.ts"
import { Bus, type Consumer, type ConsumerSpec, type Delivery } from "../../kernel/Bus.ts"
import { letter } from "../../kernel/DeadLetters.ts"
import { type Failure, Retryable, Terminal } from "../../kernel/Failure.ts"
import { postChecked, resolveChecked } from "../../kernel/PublicAddress.ts"
import { originalOf, RETRY_STREAM, retryConsumer } from "../../kernel/Retries.ts"
import { Settings } from "../../kernel/Settings.ts"
import { planOf } from "../Filters.ts"
import { payloadOf, secretOf, signedHeaders } from "./Payload.ts"
import { readWebhooks, type Stored, writeWebhooks } from "./Store.ts"

/** Milliseconds of one wait for an event, and before a consumer that failed is opened again. */
const POLL_MS = 1_000
const AGAIN = Schedule.spaced("1 second")

const HOST_EVENTS: ReadonlyArray<string> = ["health.changed", "lag.changed", "call.detected"]

export interface Progress {
  readonly delivered: number
  readonly failing: number
  readonly problem?: string
}

export type Wish = Pick<Webhook, "url" | "events"> & Partial<Pick<Webhook, "mode" | "content" | "allowPrivate">>

export class Webhooks extends Context.Service<
  Webhooks,
  {
    /** From now on; fails with `address.private` and its like. */
    readonly add: (wish: Wish) => Effect.Effect<Stored, Failure>
    readonly list: Effect.Effect<ReadonlyArray<{ readonly webhook: Stored; readonly waiting: number } & Progress>, Failure>
    readonly remove: (id: string) => Effect.Effect<void, Failure>
    /** Posts something harmless now; returns the receiver's status and the milliseconds it took. */
    readonly test: (id: string) => Effect.Effect<{ readonly status: number; readonly ms: number }, Failure>
    /** Delivers for as long as the scope is open. */
    readonly run: Effect.Effect<void, Failure, Scope.Scope>
  }
>()("voxbus/gateway/Webhooks") {
  static readonly layer: Layer.Layer<Webhooks, never, Bus | Settings> = Layer.effect(
    Webhooks,
    Effect.suspend(() => make)
  )
}

/** Also its name in the dead letters. Nobody who may not list webhooks can guess it. */
const nameOf = ({ id }: Pick<Webhook, "id">) => `webhook-${id}`

const filtersOf = ({ events, mode }: Pick<Webhook, "events" | "mode">): ReadonlyArray<string> =>
  events.flatMap((tag) => {
    if (HOST_EVENTS.includes(tag)) return [`${tag}.host.>`]
    return (mode === "both" ? ["call", "assistant"] : [mode]).map((each) => `${tag}.${each}.>`)
  })

const unknown = (id: string) => new Terminal({ code: "input.missing", message: `There is no webhook ${id}; see voxbus webhooks list.` })

const make = Effect.gen(function* () {
  const bus = yield* Bus
  const settings = yield* Settings
  const { home, host } = settings
  const limits = settings.webhooks
  const timeoutMs = limits.timeoutSeconds * 1000
  /** Longer than any try takes. */
  const ackWaitMs = timeoutMs + 10_000
  const progress = new Map<string, Progress>()
  const running = new Map<string, Fiber.Fiber<unknown, unknown>>()
  let scope: Scope.Scope | undefined

  const specsOf = (webhook: Webhook): ReadonlyArray<ConsumerSpec> => [
    ...planOf(filtersOf(webhook)).map(({ stream, filters }): ConsumerSpec => ({
      stream,
      filters,
      durable: nameOf(webhook),
      ackWaitMs,
      from: "new"
    })),
    retryConsumer(nameOf(webhook), ackWaitMs)
  ]

  const post = Effect.fnUntraced(function* ({ url, secret, allowPrivate }: Stored, id: string, payload: unknown) {
    const body = JSON.stringify(payload)
    const headers = signedHeaders(secret, id, yield* Clock.currentTimeMillis, body)
    const status = yield* postChecked(url, { headers, body, timeoutMs, policy: { allowPrivate, offline: host.offline } })
    if (status >= 200 && status < 300) return status
    const moved = status >= 300 && status < 400 ? "; redirects are not followed" : ""
    return yield* new Retryable({ code: "webhook.failed", message: `The receiver answered ${status}${moved}.` })
  })

  const note = (webhook: Stored, problem?: string) => {
    const { delivered, failing } = progress.get(webhook.id) ?? { delivered: 0, failing: 0 }
    progress.set(
      webhook.id,
      problem === undefined ? { delivered: delivered + 1, failing: 0 } : { delivered, failing: failing + 1, problem }
    )
  }

  const pauseMs = (attempt: number) => Math.min(limits.longestPauseSeconds, limits.firstPauseSeconds * 2 ** (attempt - 1)) * 1000

  const deliver = Effect.fnUntraced(function* (webhook: Stored, delivery: Delivery) {
    const id = `${webhook.id}_${delivery.stream}_${delivery.sequence}`
    const payload = yield* Effect.option(Effect.try({ try: () => payloadOf(delivery, webhook.content), catch: (cause) => cause }))
    // What is not JSON is no event: the actor it was for has said so.
    if (payload._tag === "None") return yield* delivery.drop("event.invalid")
    const failure = yield* post(webhook, id, payload.value).pipe(
      Effect.as(undefined),
      Effect.catch((failed) => Effect.succeed(failed))
    )
    if (failure === undefined) {
      note(webhook)
      return yield* delivery.ack
    }
    note(webhook, failure.message)
    const facts = { webhook: webhook.id, subject: delivery.subject, attempt: delivery.attempt, reason: failure.message }
    if (delivery.attempt < limits.attempts) {
      yield* Effect.logWarning("webhook: will try again").pipe(Effect.annotateLogs(facts))
      return yield* delivery.retry(pauseMs(delivery.attempt))
    }
    yield* Effect.logError("webhook: given up").pipe(Effect.annotateLogs(facts))
    yield* Effect.provideService(letter(nameOf(webhook), delivery, failure), Bus, bus)
    yield* delivery.drop(failure.code)
  })

  /** The event that a retry names; one that is gone has nothing to be delivered. */
  const wanted = (delivery: Delivery) =>
    delivery.stream === RETRY_STREAM
      ? originalOf(delivery).pipe(
          Effect.provideService(Bus, bus),
          Effect.catchTag("Terminal", (gone) => Effect.as(delivery.drop(gone.code), undefined))
        )
      : Effect.succeed(delivery)

  const takeFrom = (webhook: Stored, consumer: Consumer) =>
    consumer.next(POLL_MS).pipe(
      Effect.flatMap((delivery) => (delivery === undefined ? Effect.succeed(undefined) : wanted(delivery))),
      Effect.flatMap((delivery) => (delivery === undefined ? Effect.void : deliver(webhook, delivery)))
    )

  const work = (webhook: Stored) =>
    Effect.forEach(
      specsOf(webhook),
      (spec) =>
        bus.consumer(spec).pipe(
          Effect.flatMap((consumer) => Effect.forever(takeFrom(webhook, consumer))),
          Effect.tapError((failure) =>
            Effect.logWarning("webhook: the bus is away").pipe(Effect.annotateLogs({ webhook: webhook.id, reason: failure.message }))
          ),
          Effect.retry(AGAIN)
        ),
      { concurrency: "unbounded", discard: true }
    )

  const launch = Effect.fnUntraced(function* (webhook: Stored) {
    if (scope !== undefined) running.set(webhook.id, yield* Effect.forkIn(work(webhook), scope))
  })

  const find = Effect.fnUntraced(function* (id: string) {
    return (yield* readWebhooks(home)).find((each) => each.id === id) ?? (yield* unknown(id))
  })

  return Webhooks.of({
    add: Effect.fnUntraced(function* ({ url, events, mode = "call", content = false, allowPrivate = false }) {
      yield* resolveChecked(url, { allowPrivate, offline: host.offline })
      const created = new Date(yield* Clock.currentTimeMillis).toISOString()
      const id = randomBytes(6).toString("hex")
      const webhook: Stored = { id, url, events, mode, content, allowPrivate, created, secret: secretOf(randomBytes(32)) }
      if (planOf(filtersOf(webhook)).length === 0)
        return yield* new Terminal({ code: "input.invalid", message: `${events.join(", ")} cannot be delivered to webhooks.` })
      yield* Effect.forEach(specsOf(webhook), (spec) => bus.consumer(spec), { discard: true })
      yield* writeWebhooks(home, [...(yield* readWebhooks(home)), webhook])
      yield* launch(webhook)
      return webhook
    }),
    list: Effect.gen(function* () {
      return yield* Effect.forEach(yield* readWebhooks(home), (webhook) =>
        Effect.gen(function* () {
          const behind = yield* Effect.forEach(specsOf(webhook), (spec) =>
            bus.backlog(spec).pipe(
              Effect.map(({ pending, inFlight }) => pending + inFlight),
              Effect.orElseSucceed(() => 0)
            )
          )
          const waiting = behind.reduce((sum, each) => sum + each, 0)
          return { webhook, waiting, ...(progress.get(webhook.id) ?? { delivered: 0, failing: 0 }) }
        })
      )
    }),
    remove: Effect.fnUntraced(function* (id) {
      const webhook = yield* find(id)
      yield* writeWebhooks(
        home,
        (yield* readWebhooks(home)).filter((each) => each.id !== id)
      )
      const fiber = running.get(id)
      running.delete(id)
      progress.delete(id)
      if (fiber !== undefined) yield* Fiber.interrupt(fiber)
      yield* Effect.forEach(specsOf(webhook), (spec) => bus.forget(spec), { discard: true })
    }),
    test: Effect.fnUntraced(function* (id) {
      const webhook = yield* find(id)
      const began = yield* Clock.currentTimeMillis
      const timestamp = new Date(began).toISOString()
      const status = yield* post(webhook, `${id}_test_${began}`, { type: "webhook.test", timestamp, data: {} })
      return { status, ms: (yield* Clock.currentTimeMillis) - began }
    }),
    run: Effect.gen(function* () {
      scope = yield* Effect.scope
      yield* Effect.forEach(yield* readWebhooks(home), launch, { discard: true })
    })
  })
})
