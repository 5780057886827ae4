/**
 * The bus over NATS JetStream. With `Connection.ts` and `Server.ts` the only place that knows NATS.
 *
 * A publish is retried with the same message id until the log confirms it or 30 s have passed, so a restart of the
 * server or the election of another leader costs time and nothing else. Error 10071 ("wrong last sequence") means the one
 * allowed message exists: success. Whether that is ours (the server took it and was killed before it said so) its message
 * id tells. In a cluster a look-up may be answered by a replica that is some milliseconds behind; what must be there is
 * asked of the leader.
 */
import {
  type Consumer as NatsConsumer,
  jetstream,
  JetStreamApiError,
  JetStreamError,
  jetstreamManager,
  type JetStreamManager,
  type JsMsg,
  type StoredMsg
} from "@nats-io/jetstream"
import { headers as natsHeaders, type MsgHdrs, type NatsConnection } from "@nats-io/transport-node"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Schedule from "effect/Schedule"
import * as Stream from "effect/Stream"
import { HEADERS, type StreamName, streamTaking } from "../../contract/Subjects.ts"
import { Bus, type Consumer, type ConsumerSpec, type Delivery, type Headers, type Outgoing, type Published, type Recorded } from "../Bus.ts"
import { describe, Retryable, Terminal } from "../Failure.ts"
import { Connection } from "./Connection.ts"
import { follow } from "./Follow.ts"
import { consumerConfig, noConsumer, provision } from "./Provision.ts"
import {
  apiCode,
  attempt,
  CONSUMER_NOT_FOUND,
  isForbidden,
  NO_MESSAGE_FOUND,
  SEQUENCE_NOT_FOUND,
  unavailable,
  unlessMissing,
  WRONG_LAST_SEQUENCE
} from "./Refusal.ts"

const CONFIRM_MS = 5_000
const NOT_FOUND = 404
/** Messages of one look-up of a range. */
const BATCH = 256

/**
 * Client errors (status 400 and above) of a cluster that are over in a moment: the same message id, or the same subject,
 * is on its way into the log through an earlier try whose answer was lost; too many requests.
 */
const PASSING = new Set([10_158, 10_164, 10_167])

/** A question whose answer was lost with a node, or came in the middle of an election, is asked again. */
const patiently =
  (doing: string) =>
  <A>(asked: Effect.Effect<A, Retryable>): Effect.Effect<A, Retryable> =>
    asked.pipe(
      Effect.timeoutOrElse({ duration: "3 seconds", orElse: () => Effect.fail(unavailable(doing)("timeout")) }),
      Effect.retry(Schedule.spaced("200 millis").pipe(Schedule.upTo({ duration: "15 seconds" })))
    )

const replicated = (nc: NatsConnection): boolean => nc.info?.cluster !== undefined
const isExact = (filter: string): boolean => !/[*>]/.test(filter)

/** What a failed publish means: refused, or worth another try. */
const refusal = (subject: string, cause: unknown): Effect.Effect<never, Retryable | Terminal> => {
  const refused = isForbidden(cause) || (cause instanceof JetStreamApiError && cause.status < 500 && !PASSING.has(cause.code))
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

type Answered = <A>(ask: () => Promise<A>) => Promise<A>

/**
 * Asks the server, and fails as soon as the connection is lost: what a server was asked that is gone has no answer. The
 * client drops what is said while there is no connection, so that waits for one, as long as for an answer.
 */
const asking = (nc: NatsConnection): Answered => {
  const lost = new Set<(cause: Error) => void>()
  let down = false
  const back = new Set<() => void>()
  const watch = async () => {
    for await (const { type } of nc.status()) {
      if (type === "disconnect") {
        down = true
        for (const fail of lost) fail(new Error("the connection was lost"))
      } else if (type === "reconnect") {
        down = false
        for (const go of back) go()
      }
    }
    down = false
    for (const go of back) go()
  }
  void watch()
  const connected = () =>
    new Promise<void>((resolve, reject) => {
      const timer = setTimeout(() => go(new Error("there is no connection")), CONFIRM_MS)
      const go = (cause?: Error) => {
        clearTimeout(timer)
        back.delete(go)
        if (cause === undefined) resolve()
        else reject(cause)
      }
      back.add(go)
    })
  return async (ask) => {
    if (down) await connected()
    return new Promise((resolve, reject) => {
      lost.add(reject)
      void ask()
        .then(resolve, reject)
        .finally(() => lost.delete(reject))
    })
  }
}

/** As the client's `term`, but the server confirms it. The client keeps the address of a delivery to itself. */
const terminate = (nc: NatsConnection, answered: Answered, message: JsMsg, reason: string) =>
  attempt("drop", () => {
    const to = "reply" in message && typeof message.reply === "string" ? message.reply : undefined
    return to === undefined
      ? Promise.reject(new Error("the delivery has no address"))
      : answered(() => nc.request(to, `+TERM ${reason}`, { timeout: CONFIRM_MS }))
  })

const delivery = (nc: NatsConnection, answered: Answered, stream: StreamName, message: JsMsg): Delivery => ({
  ...consumed(stream, message),
  attempt: message.info.deliveryCount,
  ack: attempt("acknowledge", () => answered(() => message.ackAck())).pipe(
    Effect.flatMap((confirmed) => (confirmed ? Effect.void : Effect.fail(unavailable("acknowledge")("not confirmed"))))
  ),
  retry: (delayMs) => Effect.sync(() => message.nak(Math.max(1, Math.round(delayMs)))),
  drop: (reason) => Effect.asVoid(terminate(nc, answered, message, reason)),
  working: Effect.sync(() => message.working())
})

/** Gone already is fine: somebody else erased it, or its age did. */
const eraseMessage = async (jsm: JetStreamManager, stream: StreamName, sequence: number): Promise<void> => {
  try {
    await jsm.streams.deleteMessage(stream, sequence, true)
  } catch (cause) {
    if (apiCode(cause) !== NO_MESSAGE_FOUND && apiCode(cause) !== SEQUENCE_NOT_FOUND) throw cause
  }
}

/**
 * Asks for one message. Interrupted, it stays until the request has run out and gives back at once what still arrives:
 * otherwise a message on its way would wait for the whole ack wait.
 */
const pull = (nc: NatsConnection, answered: Answered, consumer: NatsConsumer, waitMs: number) =>
  Effect.callback<JsMsg | undefined, Retryable>((resume) => {
    let asked: Promise<JsMsg | null> | undefined
    let unwanted = false
    const giveBack = async () => {
      unwanted = true
      const late = await asked?.catch(() => null)
      if (late === null || late === undefined) return
      late.nak(1)
      await nc.flush().catch(() => undefined)
    }
    answered(() => (unwanted ? Promise.resolve(null) : (asked = consumer.next({ expires: Math.max(1_000, waitMs) })))).then(
      (message) => resume(Effect.succeed(message ?? undefined)),
      (cause: unknown) => {
        resume(Effect.fail(unavailable("next")(cause)))
        void giveBack()
      }
    )
    return Effect.promise(giveBack)
  })

const make = Effect.gen(function* () {
  const nc: NatsConnection = yield* Connection
  const answered = asking(nc)
  const js = jetstream(nc, { timeout: CONFIRM_MS })
  const jsm = yield* attempt("open", () => jetstreamManager(nc, { checkAPI: false }))

  /** The one message that `once` allows, when it is on the log: its sequence, and whether its id says that it is `message`. */
  const existing = (message: Outgoing, once: string) =>
    attempt("look up", () =>
      answered(async () => {
        const stream = streamTaking(message.subject)
        if (stream !== undefined) {
          for await (const found of await jsm.direct.getLastMessagesFor(stream, { multi_last: [once] }))
            return {
              sequence: found.seq,
              same: message.messageId !== undefined && found.header.get(HEADERS.messageId) === message.messageId
            }
        }
        return { sequence: 0, same: false }
      })
    )

  /** @param again an earlier try of this publish got no answer: what is there may be its own */
  const publishOnce = (message: Outgoing, again: boolean): Effect.Effect<Published, Retryable | Terminal> =>
    Effect.tryPromise({
      try: () =>
        answered(() =>
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
          })
        ),
      catch: (cause) => cause
    }).pipe(
      Effect.map((ack) => ({ sequence: ack.seq, stored: !ack.duplicate || again })),
      Effect.catch((cause) =>
        apiCode(cause) === WRONG_LAST_SEQUENCE && message.once !== undefined
          ? Effect.map(existing(message, message.once), ({ sequence, same }) => ({ sequence, stored: same && again }))
          : refusal(message.subject, cause)
      )
    )

  const directBatch = (stream: StreamName, filter: string, from: number) =>
    attempt("read", () =>
      answered(async () => {
        const found: Array<StoredMsg> = []
        try {
          for await (const message of await jsm.direct.getBatch(stream, { seq: from, batch: BATCH, next_by_subj: filter }))
            found.push(message)
        } catch (cause) {
          // Nothing from there on yet, which is an answer.
          if (!(cause instanceof JetStreamError && "code" in cause && cause.code === NOT_FOUND)) throw cause
        }
        return found
      })
    ).pipe(patiently("read"))

  /** The message `last` exists, so a batch that ends before it without being full comes from a replica that is behind. */
  const caughtUp = (stream: StreamName, filter: string, from: number, last: number) =>
    directBatch(stream, filter, from).pipe(
      Effect.repeat({
        until: (batch) => batch.length >= BATCH || (batch.at(-1)?.seq ?? 0) >= last,
        schedule: Schedule.spaced("50 millis").pipe(Schedule.upTo({ duration: "2 seconds" }))
      })
    )

  return Bus.of({
    publish: (message) => {
      let tries = 0
      return Effect.suspend(() => publishOnce(message, tries++ > 0)).pipe(
        Effect.retry({
          while: (failure) => failure._tag === "Retryable",
          schedule: Schedule.min([Schedule.exponential("50 millis"), Schedule.spaced("1 second")]).pipe(
            Schedule.upTo({ duration: "30 seconds" })
          )
        })
      )
    },
    consumer: Effect.fnUntraced(function* (spec: ConsumerSpec) {
      const found = yield* Effect.tryPromise({ try: () => js.consumers.get(spec.stream, spec.durable), catch: (cause) => cause }).pipe(
        Effect.catch((cause) =>
          apiCode(cause) === CONSUMER_NOT_FOUND
            ? attempt("create the consumer", async () => {
                await jsm.consumers.add(spec.stream, consumerConfig(spec))
                return js.consumers.get(spec.stream, spec.durable)
              })
            : Effect.fail(noConsumer(spec, cause))
        )
      )
      const consumer: Consumer = {
        next: (waitMs) =>
          pull(nc, answered, found, waitMs).pipe(Effect.map((message) => message && delivery(nc, answered, spec.stream, message))),
        settled: (sequence) => attempt("consumer info", async () => (await found.info()).ack_floor.stream_seq >= sequence)
      }
      return consumer
    }),
    backlog: ({ stream, durable, filters }) =>
      attempt("consumer info", async () => {
        const info = await jsm.consumers.info(stream, durable)
        const known = {
          pending: info.num_pending,
          inFlight: info.num_ack_pending,
          redelivered: info.num_redelivered,
          idle: info.num_waiting
        }
        if (known.pending + known.inFlight === 0) return known
        const seq = info.ack_floor.stream_seq + 1
        const firsts = await Promise.all(filters.map((next_by_subj) => jsm.direct.getMessage(stream, { seq, next_by_subj })))
        const [oldest] = firsts.filter((message) => message !== null).toSorted((a, b) => a.seq - b.seq)
        return oldest === undefined ? known : { ...known, oldest: Date.parse(oldest.timestamp) }
      }),
    forget: ({ stream, durable }) =>
      attempt("delete a consumer", async () => void (await jsm.consumers.delete(stream, durable).catch(unlessMissing(CONSUMER_NOT_FOUND)))),
    read: (stream, { filters, from }) =>
      follow(js, stream, { filters, from: from ?? 1, whole: true }).pipe(Stream.map((message) => consumed(stream, message))),
    tail: (stream, { filters, from }) =>
      follow(js, stream, { filters, from: from ?? 1, whole: false }).pipe(Stream.map((message) => consumed(stream, message))),
    last: (stream, filters) =>
      attempt("look up", () =>
        answered(async () => {
          const found: Array<Recorded> = []
          for await (const message of await jsm.direct.getLastMessagesFor(stream, { multi_last: [...filters] }))
            found.push(stored(stream, message))
          const absent = replicated(nc)
            ? filters.filter((filter) => isExact(filter) && !found.some(({ subject }) => subject === filter))
            : []
          for (const subject of absent) {
            const message = await jsm.streams.getMessage(stream, { last_by_subj: subject }).catch(unlessMissing(NO_MESSAGE_FOUND))
            if (message !== undefined && message !== null) found.push(stored(stream, message))
          }
          return found.sort((a, b) => a.sequence - b.sequence)
        })
      ).pipe(patiently("look up")),
    newest: (stream) => attempt("look up", async () => (await jsm.streams.info(stream)).state.last_seq).pipe(patiently("look up")),
    range: (stream, filter, first, last) =>
      Stream.paginate(first, (from: number) =>
        Effect.map(replicated(nc) ? caughtUp(stream, filter, from, last) : directBatch(stream, filter, from), (batch) => {
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
      }).pipe(patiently("count")),
    erase: (stream, filter) =>
      follow(js, stream, { filters: [filter], from: 1, whole: true, headersOnly: true }).pipe(
        Stream.map((message) => message.seq),
        Stream.runCollect,
        // "Delete" overwrites the message in its file; "purge" only forgets where it is.
        Effect.tap(
          Effect.forEach((sequence) => attempt("erase", () => eraseMessage(jsm, stream, sequence)), { concurrency: 16, discard: true })
        ),
        Effect.map((sequences) => sequences.length)
      ),
    purge: (stream, filter) => attempt("purge", async () => (await jsm.streams.purge(stream, { filter })).purged),
    provision: (options) => provision(nc, jsm, options),
    shout: (subject, data, headers) => Effect.sync(() => nc.publish(subject, data, { headers: toNats(headers) })),
    request: (subject, data, { timeoutMs, headers }) =>
      Effect.tryPromise({
        try: () => nc.request(subject, data, { timeout: timeoutMs, headers: toNats(headers) }),
        catch: (cause) => cause
      }).pipe(
        Effect.map((message) => ({ subject: message.subject, data: message.data, headers: toHeaders(message.headers) })),
        Effect.mapError((cause) =>
          isForbidden(cause)
            ? new Retryable({ code: "bus.rejected", message: `The bus refused ${subject}: ${describe(cause)}`, cause })
            : unavailable(`nobody answered ${subject}`)(cause)
        )
      ),
    respond: (subject, handle) =>
      Effect.gen(function* () {
        const subscription = yield* Effect.acquireRelease(
          Effect.sync(() => nc.subscribe(subject, { queue: subject })),
          (each) => Effect.sync(() => each.unsubscribe())
        )
        yield* Stream.fromAsyncIterable(subscription, unavailable("respond")).pipe(
          // Who may make a consumer may have it deliver to any subject: a delivery is no request.
          Stream.filter(({ reply }) => reply !== undefined && !reply.startsWith("$JS.")),
          Stream.mapEffect(
            (message) =>
              handle({ subject: message.subject, data: message.data, headers: toHeaders(message.headers) }).pipe(
                Effect.map((answer) => message.respond(answer.data, { headers: toNats(answer.headers) }))
              ),
            { concurrency: "unbounded", unordered: true }
          ),
          Stream.runDrain,
          Effect.ignore,
          Effect.forkScoped
        )
      }),
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
