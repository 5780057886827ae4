/**
 * Messages of a stream from a place on, in order, whatever happens to the server meanwhile.
 *
 * The consumer of a reader lives on one node of a cluster. When that node dies the client asks after it for ever, so a
 * reader without any sign of life (a message or the server's heartbeat) opens another where it was.
 */
import { type ConsumerMessages, DeliverPolicy, type JetStreamClient, type JsMsg } from "@nats-io/jetstream"
import * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"
import * as Stream from "effect/Stream"
import type { StreamName } from "../../contract/Subjects.ts"
import type { Retryable } from "../Failure.ts"
import { attempt, unavailable } from "./Refusal.ts"

/** The server says every second that there is nothing new. */
const HEARTBEAT_MS = 1_000
const EXPIRES_MS = 5_000
const SILENCE = "3 seconds"
/** For how long another reader is tried for; begins anew with every message. */
const AGAIN = Schedule.spaced("250 millis").pipe(Schedule.upTo({ duration: "30 seconds" }))

const startAt = (from: number | "new") =>
  from === "new" ? { deliver_policy: DeliverPolicy.New } : { deliver_policy: DeliverPolicy.StartSequence, opt_start_seq: Math.max(1, from) }

/** Fails when nothing was heard for a while. */
const silence = (messages: ConsumerMessages, counted: () => number) =>
  Effect.gen(function* () {
    let signs = 0
    yield* Stream.fromAsyncIterable(messages.status(), unavailable("read")).pipe(
      Stream.runForEach(({ type }) => Effect.sync(() => void (type === "heartbeat" ? (signs += 1) : 0))),
      Effect.ignore,
      Effect.forkScoped
    )
    let before = -1
    const check = Effect.suspend(() => {
      const now = signs + counted()
      if (now === before) return Effect.fail(unavailable("read")("the server fell silent"))
      before = now
      return Effect.sleep(SILENCE)
    })
    return yield* Effect.forever(check)
  })

export interface Reader {
  /** Messages that matched when it was opened. */
  readonly pending: number
  readonly messages: Stream.Stream<JsMsg, Retryable>
}

/** Opens a reader in the current scope; when it fails, what comes next is read by another. */
const open = (
  js: JetStreamClient,
  stream: StreamName,
  options: { readonly filters: ReadonlyArray<string>; readonly headersOnly?: boolean },
  from: number | "new"
) =>
  Effect.gen(function* () {
    const consumer = yield* attempt("read", () =>
      js.consumers.get(stream, { filter_subjects: [...options.filters], headers_only: options.headersOnly ?? false, ...startAt(from) })
    )
    const info = yield* attempt("read", () => consumer.info(true))
    const messages = yield* Effect.acquireRelease(
      attempt("read", () => consumer.consume({ max_messages: 500, expires: EXPIRES_MS, idle_heartbeat: HEARTBEAT_MS })),
      // `close` would wait for a reader to take the end up, and nobody reads any more: 2 s with every list and every look back.
      (iterator) => Effect.sync(() => iterator.stop())
    )
    return { pending: info.num_pending, next: info.delivered.stream_seq + 1, messages }
  })

/**
 * @param options.from first sequence, or only what is new
 * @param options.headersOnly leaves the content of the messages with the server
 * @param options.whole ends when everything that was there at the beginning has been read
 */
export const follow = (
  js: JetStreamClient,
  stream: StreamName,
  options: {
    readonly filters: ReadonlyArray<string>
    readonly from: number | "new"
    readonly whole: boolean
    readonly headersOnly?: boolean
  }
): Stream.Stream<JsMsg, Retryable> =>
  Stream.suspend(() => {
    let next = options.from
    let done = false
    const reading = Stream.unwrap(
      Effect.gen(function* () {
        if (done) return Stream.empty
        const reader = yield* open(js, stream, options, next)
        if (options.whole && reader.pending === 0) return Stream.empty
        if (next === "new") next = reader.next
        let read = 0
        const ended = Stream.fail(unavailable("read")("the reader ended"))
        const messages = Stream.fromAsyncIterable(reader.messages, unavailable("read")).pipe(Stream.concat(ended))
        return messages.pipe(
          Stream.interruptWhen(Effect.scoped(silence(reader.messages, () => read))),
          Stream.tap((message) =>
            Effect.sync(() => {
              read += 1
              next = message.seq + 1
              done = options.whole && message.info.pending === 0
            })
          ),
          Stream.takeUntil(() => done)
        )
      })
    )
    return reading.pipe(Stream.retry(AGAIN))
  })
