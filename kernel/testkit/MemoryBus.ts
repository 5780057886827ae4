/**
 * The bus without a server, for tests of actors: the same ids, the same "once", the same redelivery after the ack wait
 * (on Effect's clock, so `TestClock` drives it), the same order. What it does not have: a disk, permissions, a network.
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as PubSub from "effect/PubSub"
import * as Stream from "effect/Stream"
import { matches, type StreamName, streamTaking } from "../../contract/Subjects.ts"
import { Bus, type Bytes, type Consumer, type Delivery, type Headers, type Message, type Outgoing, type Recorded } from "../Bus.ts"
import { Retryable, Terminal } from "../Failure.ts"

const matchesAny = (filters: ReadonlyArray<string>, subject: string) => filters.some((filter) => matches(filter, subject))

interface Pending {
  readonly record: Recorded
  deliveries: number
  /** Clock time at which it may be delivered (again). */
  due: number
}

const make = Effect.gen(function* () {
  const logs = new Map<StreamName, Array<Recorded>>()
  const ids = new Map<string, number>()
  const consumers = new Map<
    string,
    { readonly pending: Array<Pending>; readonly filters: ReadonlyArray<string>; readonly ackWaitMs: number }
  >()
  const responders = new Map<string, (message: Message) => Effect.Effect<Omit<Message, "subject">>>()
  const arrived = yield* PubSub.unbounded<Recorded>()
  const shouted = yield* PubSub.unbounded<{ readonly subject: string; readonly data: Bytes; readonly headers: Headers }>()
  const log = (stream: StreamName) => {
    const known = logs.get(stream) ?? []
    logs.set(stream, known)
    return known
  }

  const publish = Effect.fnUntraced(function* (message: Outgoing) {
    const stream = streamTaking(message.subject)
    if (stream === undefined) return yield* new Terminal({ code: "bus.rejected", message: `No stream takes ${message.subject}.` })
    const records = log(stream)
    const known = message.messageId === undefined ? undefined : ids.get(`${stream} ${message.messageId}`)
    if (known !== undefined) return { sequence: known, stored: false }
    const once = message.once
    const there = once === undefined ? undefined : records.find((record) => matches(once, record.subject))
    if (there !== undefined) return { sequence: there.sequence, stored: false }
    const time = yield* Clock.currentTimeMillis
    const record: Recorded = {
      stream,
      subject: message.subject,
      sequence: (records.at(-1)?.sequence ?? 0) + 1,
      time,
      headers: message.headers ?? {},
      data: message.data
    }
    records.push(record)
    if (message.messageId !== undefined) ids.set(`${stream} ${message.messageId}`, record.sequence)
    for (const [key, consumer] of consumers) {
      if (key.startsWith(`${stream} `) && matchesAny(consumer.filters, record.subject))
        consumer.pending.push({ record, deliveries: 0, due: time })
    }
    yield* PubSub.publish(arrived, record)
    return { sequence: record.sequence, stored: true }
  })

  const read = (stream: StreamName, filters: ReadonlyArray<string>, from = 1) =>
    log(stream).filter((record) => record.sequence >= from && matchesAny(filters, record.subject))

  const purge = (stream: StreamName, filter: string) =>
    Effect.sync(() => {
      const before = log(stream).length
      logs.set(
        stream,
        log(stream).filter((record) => !matches(filter, record.subject))
      )
      return before - log(stream).length
    })

  return Bus.of({
    publish,
    consumer: (spec) =>
      Effect.sync((): Consumer => {
        const key = `${spec.stream} ${spec.durable}`
        const state = consumers.get(key) ?? {
          pending: (spec.from === "new" ? [] : read(spec.stream, spec.filters)).map((record): Pending => ({
            record,
            deliveries: 0,
            due: 0
          })),
          filters: spec.filters,
          ackWaitMs: spec.ackWaitMs
        }
        consumers.set(key, state)
        const remove = (entry: Pending) => {
          const index = state.pending.indexOf(entry)
          if (index >= 0) state.pending.splice(index, 1)
        }
        const take = Effect.map(Clock.currentTimeMillis, (now): Delivery | undefined => {
          const entry = state.pending.find((each) => each.due <= now)
          if (entry === undefined) return undefined
          entry.deliveries += 1
          entry.due = now + state.ackWaitMs
          return {
            ...entry.record,
            attempt: entry.deliveries,
            ack: Effect.sync(() => remove(entry)),
            drop: () => Effect.sync(() => remove(entry)),
            retry: (delayMs) => Effect.map(Clock.currentTimeMillis, (at) => void (entry.due = at + delayMs)),
            working: Effect.map(Clock.currentTimeMillis, (at) => void (entry.due = at + state.ackWaitMs))
          }
        })
        const poll = (left: number): Effect.Effect<Delivery | undefined> =>
          Effect.flatMap(take, (found) =>
            found !== undefined || left <= 0 ? Effect.succeed(found) : Effect.andThen(Effect.sleep(10), poll(left - 10))
          )
        return { next: poll, settled: (sequence) => Effect.sync(() => state.pending.every((entry) => entry.record.sequence > sequence)) }
      }),
    backlog: ({ stream, durable }) =>
      Effect.suspend(() => {
        const state = consumers.get(`${stream} ${durable}`)
        if (state === undefined) return Effect.fail(new Retryable({ code: "bus.unavailable", message: `There is no consumer ${durable}.` }))
        const held = state.pending.filter(({ deliveries }) => deliveries > 0)
        const [oldest] = state.pending.map(({ record }) => record.time).toSorted((a, b) => a - b)
        return Effect.succeed({
          pending: state.pending.length - held.length,
          inFlight: held.length,
          redelivered: held.filter(({ deliveries }) => deliveries > 1).length,
          idle: 0,
          ...(oldest === undefined ? {} : { oldest })
        })
      }),
    forget: ({ stream, durable }) => Effect.sync(() => void consumers.delete(`${stream} ${durable}`)),
    read: (stream, options) => Stream.suspend(() => Stream.fromIterable(read(stream, options.filters, options.from))),
    tail: (stream, options) =>
      Stream.unwrap(
        Effect.gen(function* () {
          const subscription = yield* PubSub.subscribe(arrived)
          const past = options.from === "new" ? [] : read(stream, options.filters, options.from)
          const seen = log(stream).at(-1)?.sequence ?? 0
          return Stream.concat(
            Stream.fromIterable(past),
            Stream.fromSubscription(subscription).pipe(
              Stream.filter((record) => record.stream === stream && record.sequence > seen && matchesAny(options.filters, record.subject))
            )
          )
        })
      ),
    last: (stream, filters) =>
      Effect.sync(() =>
        [...new Map(read(stream, filters).map((record) => [record.subject, record])).values()].sort((a, b) => a.sequence - b.sequence)
      ),
    newest: (stream) => Effect.sync(() => log(stream).at(-1)?.sequence ?? 0),
    range: (stream, filter, first, last) =>
      Stream.suspend(() => Stream.fromIterable(read(stream, [filter], first).filter((record) => record.sequence <= last))),
    count: (stream, filter) =>
      Effect.sync(() => {
        const counts = new Map<string, number>()
        for (const { subject } of read(stream, [filter])) counts.set(subject, (counts.get(subject) ?? 0) + 1)
        return counts
      }),
    erase: purge,
    purge,
    provision: () => Effect.void,
    shout: (subject, data, headers) => Effect.asVoid(PubSub.publish(shouted, { subject, data, headers: headers ?? {} })),
    request: (subject, data, { headers }) => {
      const respond = responders.get(subject)
      return respond === undefined
        ? Effect.fail(new Retryable({ code: "bus.unavailable", message: `Nobody answers ${subject}.` }))
        : Effect.map(respond({ subject, data, headers: headers ?? {} }), (answer) => ({ subject, ...answer }))
    },
    respond: <R>(subject: string, handle: (message: Message) => Effect.Effect<Omit<Message, "subject">, never, R>) =>
      Effect.flatMap(Effect.context<R>(), (services) =>
        Effect.acquireRelease(
          Effect.sync(() => void responders.set(subject, (message) => Effect.provide(handle(message), services))),
          () => Effect.sync(() => void responders.delete(subject))
        )
      ),
    listen: (subject) =>
      Effect.map(PubSub.subscribe(shouted), (subscription) =>
        Stream.fromSubscription(subscription).pipe(Stream.filter((message) => matches(subject, message.subject)))
      )
  })
})

export const memoryBus: Layer.Layer<Bus> = Layer.effect(Bus, make)
