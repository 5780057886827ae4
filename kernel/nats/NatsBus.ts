/**
 * The bus over NATS JetStream. With `Connection.ts` and `Server.ts` the only place that knows NATS.
 *
 * A publish is retried with the same message id until the log confirms it or 30 s have passed, so a restart of the
 * server costs time and nothing else. Error 10071 ("wrong last sequence") means the one allowed message exists: success.
 */
import {
  AckPolicy,
  type Consumer as NatsConsumer,
  DeliverPolicy,
  DiscardPolicy,
  jetstream,
  JetStreamApiError,
  jetstreamManager,
  type JetStreamManager,
  type JsMsg,
  RetentionPolicy,
  StorageType,
  type StoredMsg
} from "@nats-io/jetstream"
import { headers as natsHeaders, type MsgHdrs, type NatsConnection, nanos, PermissionViolationError } from "@nats-io/transport-node"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Schedule from "effect/Schedule"
import * as Stream from "effect/Stream"
import { type StreamName, type StreamSpec, STREAMS } from "../../contract/Subjects.ts"
import { Bus, type Consumer, type ConsumerSpec, type Delivery, type Headers, type Outgoing, type Published, type Recorded } from "../Bus.ts"
import { describe, Retryable, Terminal } from "../Failure.ts"
import { Connection } from "./Connection.ts"

const WRONG_LAST_SEQUENCE = 10071
const CONSUMER_NOT_FOUND = 10014
const DUPLICATE_WINDOW_MS = 10 * 60_000

const unavailable = (doing: string) => (cause: unknown) =>
  new Retryable({ code: "bus.unavailable", message: `The event bus did not answer (${doing}): ${describe(cause)}`, cause })

const attempt = <A>(doing: string, run: () => Promise<A>) => Effect.tryPromise({ try: run, catch: unavailable(doing) })

const apiCode = (cause: unknown): number | undefined => (cause instanceof JetStreamApiError ? cause.code : undefined)

/** The client wraps the server's "permissions violation" in errors of its own. */
const isForbidden = (cause: unknown): boolean =>
  cause instanceof PermissionViolationError || (cause instanceof Error && cause.cause !== undefined && isForbidden(cause.cause))

/** What a failed publish means: already there, refused, or worth another try. */
const refusal = (subject: string, cause: unknown): Effect.Effect<Published, Retryable | Terminal> => {
  if (apiCode(cause) === WRONG_LAST_SEQUENCE) return Effect.succeed({ sequence: 0, stored: false })
  const refused = isForbidden(cause) || (cause instanceof JetStreamApiError && cause.status < 500)
  return refused
    ? Effect.fail(new Terminal({ code: "bus.rejected", message: `The bus refused ${subject}: ${describe(cause)}`, cause }))
    : Effect.fail(unavailable(`publish ${subject}`)(cause))
}

const toHeaders = (from: MsgHdrs | undefined): Headers =>
  from === undefined ? {} : Object.fromEntries(from.keys().map((key) => [key, from.get(key)]))

const toNats = (from: Headers = {}): MsgHdrs => {
  const to = natsHeaders()
  for (const [key, value] of Object.entries(from)) to.set(key, value)
  return to
}

const stored = (stream: StreamName, message: StoredMsg): Recorded => ({
  stream,
  subject: message.subject,
  sequence: message.seq,
  time: Date.parse(message.timestamp) + subMillisecond(message.timestamp),
  headers: toHeaders(message.header),
  data: message.data
})

/** The microseconds of an RFC 3339 time, which `Date` drops, as a fraction of a millisecond. */
const subMillisecond = (timestamp: string): number => {
  const digits = /\.\d{3}(\d+)/.exec(timestamp)?.[1]
  return digits === undefined ? 0 : Number(`0.${digits}`)
}

const consumed = (stream: StreamName, message: JsMsg): Recorded => ({
  stream,
  subject: message.subject,
  sequence: message.seq,
  time: message.info.timestampNanos / 1e6,
  headers: toHeaders(message.headers),
  data: message.data
})

const delivery = (stream: StreamName, message: JsMsg): Delivery => ({
  ...consumed(stream, message),
  attempt: message.info.deliveryCount,
  ack: attempt("acknowledge", () => message.ackAck()).pipe(
    Effect.flatMap((confirmed) => (confirmed ? Effect.void : Effect.fail(unavailable("acknowledge")("not confirmed"))))
  ),
  retry: (delayMs) => Effect.sync(() => message.nak(Math.max(1, Math.round(delayMs)))),
  drop: (reason) => Effect.sync(() => message.term(reason)),
  working: Effect.sync(() => message.working())
})

const streamConfig = (spec: StreamSpec, keepConversations: boolean) => ({
  subjects: [...spec.subjects],
  storage: spec.storage === "file" || (spec.storage === "kept" && keepConversations) ? StorageType.File : StorageType.Memory,
  retention: RetentionPolicy.Limits,
  discard: DiscardPolicy.Old,
  allow_direct: true,
  duplicate_window: nanos(DUPLICATE_WINDOW_MS),
  max_age: spec.maxAgeSeconds === undefined || (spec.storage === "kept" && keepConversations) ? 0 : nanos(spec.maxAgeSeconds * 1000),
  max_msgs_per_subject: spec.maxMessagesPerSubject ?? -1,
  description: spec.means
})

/** Storage cannot be changed in place: a memory stream that must become a file is made anew (it is private and short-lived). */
const provisionStream = async (jsm: JetStreamManager, spec: StreamSpec, keepConversations: boolean): Promise<void> => {
  const config = streamConfig(spec, keepConversations)
  const existing = await jsm.streams.info(spec.name).catch(() => undefined)
  if (existing === undefined) return void (await jsm.streams.add({ name: spec.name, ...config }))
  if (existing.config.storage === config.storage) return void (await jsm.streams.update(spec.name, { ...existing.config, ...config }))
  await jsm.streams.delete(spec.name)
  await jsm.streams.add({ name: spec.name, ...config })
}

const consumerConfig = (spec: ConsumerSpec) => ({
  durable_name: spec.durable,
  filter_subjects: [...spec.filters],
  ack_policy: AckPolicy.Explicit,
  ack_wait: nanos(spec.ackWaitMs),
  deliver_policy: DeliverPolicy.All,
  // The runtime counts deliveries and dead-letters; the server never drops silently.
  max_deliver: -1
})

/** Filters and ack wait can change with a release; where the consumer is in the stream stays. */
const provisionConsumer = async (jsm: JetStreamManager, spec: ConsumerSpec): Promise<void> => {
  const config = consumerConfig(spec)
  const exists = await jsm.consumers.info(spec.stream, spec.durable).then(
    () => true,
    () => false
  )
  if (exists) await jsm.consumers.update(spec.stream, spec.durable, config)
  else await jsm.consumers.add(spec.stream, config)
}

const make = Effect.gen(function* () {
  const nc: NatsConnection = yield* Connection
  const js = jetstream(nc, { timeout: 5_000 })
  const jsm = yield* attempt("open", () => jetstreamManager(nc, { checkAPI: false }))

  const publishOnce = (message: Outgoing) =>
    Effect.tryPromise({
      try: () =>
        js.publish(message.subject, message.data, {
          headers: toNats(message.headers),
          ...(message.messageId === undefined ? {} : { msgID: message.messageId }),
          ...(message.once === undefined
            ? {}
            : {
                expect: {
                  lastSubjectSequence: 0,
                  ...(message.once === message.subject ? {} : { lastSubjectSequenceSubject: message.once })
                }
              })
        }),
      catch: (cause) => cause
    }).pipe(
      Effect.map((ack) => ({ sequence: ack.seq, stored: !ack.duplicate })),
      Effect.catch((cause) => refusal(message.subject, cause))
    )

  const ordered = (stream: StreamName, filters: ReadonlyArray<string>, start: { deliver_policy: DeliverPolicy; opt_start_seq?: number }) =>
    attempt("read", () => js.consumers.get(stream, { filter_subjects: [...filters], ...start }))

  const messages = (consumer: NatsConsumer) =>
    Effect.acquireRelease(
      attempt("read", () => consumer.consume({ max_messages: 500 })),
      (iterator) => Effect.promise(() => iterator.close()).pipe(Effect.timeoutOption("2 seconds"))
    )

  const startAt = (from: number | "new" | undefined) =>
    from === "new"
      ? { deliver_policy: DeliverPolicy.New }
      : { deliver_policy: DeliverPolicy.StartSequence, opt_start_seq: Math.max(1, from ?? 1) }

  const directBatch = (stream: StreamName, filter: string, from: number) =>
    attempt("read", async () => {
      const found: Array<StoredMsg> = []
      for await (const message of await jsm.direct.getBatch(stream, { seq: from, batch: 256, next_by_subj: filter })) found.push(message)
      return found
    }).pipe(Effect.timeoutOrElse({ duration: "10 seconds", orElse: () => Effect.fail(unavailable("read")("timeout")) }))

  return Bus.of({
    publish: (message) =>
      publishOnce(message).pipe(
        Effect.retry({
          while: (failure) => failure._tag === "Retryable",
          schedule: Schedule.min([Schedule.exponential("50 millis"), Schedule.spaced("1 second")]).pipe(
            Schedule.upTo({ duration: "30 seconds" })
          )
        })
      ),
    consumer: Effect.fnUntraced(function* (spec: ConsumerSpec) {
      const found = yield* Effect.tryPromise({ try: () => js.consumers.get(spec.stream, spec.durable), catch: (cause) => cause }).pipe(
        Effect.catch((cause) =>
          apiCode(cause) === CONSUMER_NOT_FOUND
            ? attempt("create the consumer", async () => {
                await jsm.consumers.add(spec.stream, consumerConfig(spec))
                return js.consumers.get(spec.stream, spec.durable)
              })
            : Effect.fail(unavailable(`consumer ${spec.durable}`)(cause))
        )
      )
      const consumer: Consumer = {
        next: (waitMs) =>
          attempt("next", () => found.next({ expires: Math.max(1_000, waitMs) })).pipe(
            Effect.map((message) => (message === null ? undefined : delivery(spec.stream, message)))
          ),
        settled: (sequence) => attempt("consumer info", async () => (await found.info()).ack_floor.stream_seq >= sequence)
      }
      return consumer
    }),
    read: (stream, options) =>
      Stream.unwrap(
        Effect.gen(function* () {
          const consumer = yield* ordered(stream, options.filters, startAt(options.from))
          const info = yield* attempt("read", () => consumer.info())
          if (info.num_pending === 0) return Stream.empty
          const iterator = yield* messages(consumer)
          return Stream.fromAsyncIterable(iterator, unavailable("read")).pipe(
            Stream.takeUntil((message) => message.info.pending === 0),
            Stream.map((message) => consumed(stream, message))
          )
        })
      ),
    tail: (stream, options) =>
      Stream.unwrap(
        Effect.gen(function* () {
          const iterator = yield* messages(yield* ordered(stream, options.filters, startAt(options.from)))
          return Stream.fromAsyncIterable(iterator, unavailable("tail")).pipe(Stream.map((message) => consumed(stream, message)))
        })
      ),
    last: (stream, filters) =>
      attempt("look up", async () => {
        const found: Array<Recorded> = []
        for await (const message of await jsm.direct.getLastMessagesFor(stream, { multi_last: [...filters] }))
          found.push(stored(stream, message))
        return found.sort((a, b) => a.sequence - b.sequence)
      }).pipe(Effect.timeoutOrElse({ duration: "10 seconds", orElse: () => Effect.fail(unavailable("look up")("timeout")) })),
    range: (stream, filter, first, last) =>
      Stream.paginate(first, (from: number) =>
        Effect.map(directBatch(stream, filter, from), (batch) => {
          const wanted = batch.filter((message) => message.seq <= last).map((message) => stored(stream, message))
          const newest = batch.at(-1)?.seq
          const more = newest !== undefined && newest < last && wanted.length > 0
          return [wanted, more ? Option.some(newest + 1) : Option.none<number>()] as const
        })
      ),
    count: (stream, filter) =>
      attempt("count", async () => {
        const info = await jsm.streams.info(stream, { subjects_filter: filter })
        return new Map(Object.entries(info.state.subjects ?? {}))
      }),
    purge: (stream, filter) => attempt("purge", async () => (await jsm.streams.purge(stream, { filter })).purged),
    provision: ({ keepConversations, consumers }) =>
      Effect.forEach(STREAMS, (spec) => attempt(`set up ${spec.name}`, () => provisionStream(jsm, spec, keepConversations)), {
        discard: true,
        concurrency: 4
      }).pipe(
        Effect.andThen(
          Effect.forEach(consumers, (spec) => attempt(`set up ${spec.durable}`, () => provisionConsumer(jsm, spec)), {
            discard: true,
            concurrency: 4
          })
        )
      ),
    shout: (subject, data, headers) => Effect.sync(() => nc.publish(subject, data, { headers: toNats(headers) })),
    listen: (subject) =>
      Effect.acquireRelease(
        Effect.sync(() => nc.subscribe(subject)),
        (subscription) => Effect.sync(() => subscription.unsubscribe())
      ).pipe(
        Effect.map((subscription) =>
          Stream.fromAsyncIterable(subscription, unavailable("listen")).pipe(
            Stream.map((message) => ({ subject: message.subject, data: message.data, headers: toHeaders(message.headers) })),
            Stream.orDie
          )
        )
      )
  })
})

/** The bus over the connection of `Connection`. */
export const natsBus: Layer.Layer<Bus, Retryable, Connection> = Layer.effect(Bus, make)
