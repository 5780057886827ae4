/**
 * The bus without a server, for tests of actors: the same ids, the same "once", the same redelivery after the ack wait
 * (on Effect's clock, so `TestClock` drives it), the same order. What it does not have: a disk, permissions, a network.
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as PubSub from "effect/PubSub"
import * as Stream from "effect/Stream"
import { type StreamName, STREAMS } from "../../contract/Subjects.ts"
import { Bus, type Bytes, type Consumer, type Delivery, type Headers, type Outgoing, type Recorded } from "../Bus.ts"
import { Terminal } from "../Failure.ts"

/** NATS matching: `*` is one token, `>` is one or more at the end. */
export const matches = (filter: string, subject: string): boolean => {
  const pattern = filter.split(".")
  const tokens = subject.split(".")
  for (const [index, token] of pattern.entries()) {
    if (token === ">") return tokens.length > index
    if (token !== "*" && token !== tokens[index]) return false
  }
  return pattern.length === tokens.length
}

const matchesAny = (filters: ReadonlyArray<string>, subject: string) => filters.some((filter) => matches(filter, subject))

interface Pending {
  readonly record: Recorded
  deliveries: number
  /** Clock time at which it may be delivered (again). */
  due: number
}

const make = Effect.gen(function* () {
  const logs = new Map<StreamName, Array<Recorded>>()
  const ids = new Set<string>()
  const consumers = new Map<
    string,
    { readonly pending: Array<Pending>; readonly filters: ReadonlyArray<string>; readonly ackWaitMs: number }
  >()
  const arrived = yield* PubSub.unbounded<Recorded>()
  const shouted = yield* PubSub.unbounded<{ readonly subject: string; readonly data: Bytes; readonly headers: Headers }>()
  const log = (stream: StreamName) => {
    const known = logs.get(stream) ?? []
    logs.set(stream, known)
    return known
  }
  const streamFor = (subject: string) => STREAMS.find((stream) => matchesAny(stream.subjects, subject))?.name

  const publish = Effect.fnUntraced(function* (message: Outgoing) {
    const stream = streamFor(message.subject)
    if (stream === undefined) return yield* new Terminal({ code: "bus.rejected", message: `No stream takes ${message.subject}.` })
    const records = log(stream)
    if (message.messageId !== undefined && ids.has(`${stream} ${message.messageId}`)) return { sequence: 0, stored: false }
    const once = message.once
    if (once !== undefined && records.some((record) => matches(once, record.subject))) return { sequence: 0, stored: false }
    if (message.messageId !== undefined) ids.add(`${stream} ${message.messageId}`)
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
    for (const [key, consumer] of consumers) {
      if (key.startsWith(`${stream} `) && matchesAny(consumer.filters, record.subject))
        consumer.pending.push({ record, deliveries: 0, due: time })
    }
    yield* PubSub.publish(arrived, record)
    return { sequence: record.sequence, stored: true }
  })

  const read = (stream: StreamName, filters: ReadonlyArray<string>, from = 1) =>
    log(stream).filter((record) => record.sequence >= from && matchesAny(filters, record.subject))

  return Bus.of({
    publish,
    consumer: (spec) =>
      Effect.sync((): Consumer => {
        const key = `${spec.stream} ${spec.durable}`
        const state = consumers.get(key) ?? {
          pending: read(spec.stream, spec.filters).map((record): Pending => ({ record, deliveries: 0, due: 0 })),
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
    range: (stream, filter, first, last) =>
      Stream.suspend(() => Stream.fromIterable(read(stream, [filter], first).filter((record) => record.sequence <= last))),
    count: (stream, filter) =>
      Effect.sync(() => {
        const counts = new Map<string, number>()
        for (const { subject } of read(stream, [filter])) counts.set(subject, (counts.get(subject) ?? 0) + 1)
        return counts
      }),
    purge: (stream, filter) =>
      Effect.sync(() => {
        const before = log(stream).length
        logs.set(
          stream,
          log(stream).filter((record) => !matches(filter, record.subject))
        )
        return before - log(stream).length
      }),
    provision: () => Effect.void,
    shout: (subject, data, headers) => Effect.asVoid(PubSub.publish(shouted, { subject, data, headers: headers ?? {} })),
    listen: (subject) =>
      Effect.map(PubSub.subscribe(shouted), (subscription) =>
        Stream.fromSubscription(subscription).pipe(Stream.filter((message) => matches(subject, message.subject)))
      )
  })
})

export const memoryBus: Layer.Layer<Bus> = Layer.effect(Bus, make)
