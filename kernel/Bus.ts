/**
 * The bus, as the kernel sees it: append, consume, look up. `NatsBus.ts` is JetStream, `testkit/MemoryBus.ts` the
 * same semantics without a server. Only the runtime and the gateway use it; an actor never does.
 */
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type * as Stream from "effect/Stream"
import type { StreamName } from "../contract/Subjects.ts"
import type { Retryable, Terminal } from "./Failure.ts"

export type Headers = Readonly<Record<string, string>>
export type Bytes = Uint8Array<ArrayBufferLike>

/** A message beside the log. */
export interface Message {
  readonly subject: string
  readonly data: Bytes
  readonly headers: Headers
}

export interface Outgoing {
  readonly subject: string
  readonly data: Bytes
  readonly headers?: Headers
  /** Deterministic id: publishing the same again within the duplicate window stores nothing. */
  readonly messageId?: string
  /** At most one message may ever match this filter; a second publish succeeds with `stored: false`. */
  readonly once?: string
}

export interface Published {
  /** Of the message on the log: this one, or the one that was there already. */
  readonly sequence: number
  /** False when another publish had put it there. A repetition within one publish (the answer was lost) still says true. */
  readonly stored: boolean
}

export interface Recorded {
  readonly stream: StreamName
  readonly subject: string
  readonly sequence: number
  /** When the log took it, epoch milliseconds with fractions. */
  readonly time: number
  readonly headers: Headers
  readonly data: Bytes
}

/** A message in the hands of a consumer: it is settled by exactly one of `ack`, `retry`, `drop`. */
export interface Delivery extends Recorded {
  /** 1 for the first delivery. */
  readonly attempt: number
  /** Confirmed by the server (double ack). */
  readonly ack: Effect.Effect<void, Retryable>
  readonly retry: (delayMs: number) => Effect.Effect<void>
  /** Never delivered again; confirmed by the server. */
  readonly drop: (reason: string) => Effect.Effect<void, Retryable>
  /** "Still busy": starts the ack wait anew. */
  readonly working: Effect.Effect<void>
}

export interface ConsumerSpec {
  readonly stream: StreamName
  /** Durable name, shared by all processes that do this work. */
  readonly durable: string
  readonly filters: ReadonlyArray<string>
  /** Milliseconds without a sign of life after which a message is delivered to another. */
  readonly ackWaitMs: number
  /** A consumer that is made with it begins with what comes then; otherwise with the first message there is. */
  readonly from?: "new"
}

export interface Consumer {
  /**
   * The next message, or nothing after about `waitMs` (at least 1,000). Holds no message back that was not asked for;
   * interrupted, it gives back what still arrives and ends when nothing more can.
   */
  readonly next: (waitMs: number) => Effect.Effect<Delivery | undefined, Retryable>
  /** Whether everything up to and with this sequence has been acknowledged or dropped. */
  readonly settled: (sequence: number) => Effect.Effect<boolean, Retryable>
}

/** How far behind a durable consumer is. */
export interface Backlog {
  /** Messages that nobody has taken, and that somebody holds. */
  readonly pending: number
  readonly inFlight: number
  /** Of those in flight, the ones delivered more than once. */
  readonly redelivered: number
  /** Requests that wait for a message. */
  readonly idle: number
  /** Epoch milliseconds of the oldest message that is not settled, if there is one. */
  readonly oldest?: number
}

export interface ReadOptions {
  readonly filters: ReadonlyArray<string>
  /** First sequence to deliver; 1 by default. */
  readonly from?: number
}

export class Bus extends Context.Service<
  Bus,
  {
    readonly publish: (message: Outgoing) => Effect.Effect<Published, Retryable | Terminal>
    /** A place in the line of a durable consumer; made if it is missing and the credentials allow it. */
    readonly consumer: (spec: ConsumerSpec) => Effect.Effect<Consumer, Retryable | Terminal>
    /** Fails when there is no such consumer. */
    readonly backlog: (spec: Pick<ConsumerSpec, "stream" | "durable" | "filters">) => Effect.Effect<Backlog, Retryable>
    /** Deletes a durable consumer; nothing happens where there is none. */
    readonly forget: (spec: Pick<ConsumerSpec, "stream" | "durable">) => Effect.Effect<void, Retryable>
    /** What the log holds now, in order, then ends. */
    readonly read: (stream: StreamName, options: ReadOptions) => Stream.Stream<Recorded, Retryable>
    /** The same, then everything that follows. `from: "new"` skips what is there. */
    readonly tail: (
      stream: StreamName,
      options: { readonly filters: ReadonlyArray<string>; readonly from?: number | "new" }
    ) => Stream.Stream<Recorded, Retryable>
    /** The newest message of every subject that matches; one round trip. At most 1,000. */
    readonly last: (stream: StreamName, filters: ReadonlyArray<string>) => Effect.Effect<ReadonlyArray<Recorded>, Retryable>
    /** Sequence of the newest message that the stream has taken; 0 before the first. */
    readonly newest: (stream: StreamName) => Effect.Effect<number, Retryable>
    /** Messages `first`..`last` of a stream that match `filter`, in batches. */
    readonly range: (stream: StreamName, filter: string, first: number, last: number) => Stream.Stream<Recorded, Retryable>
    /** How many messages each matching subject holds. */
    readonly count: (stream: StreamName, filter: string) => Effect.Effect<ReadonlyMap<string, number>, Retryable>
    /** Removes what matches and overwrites its bytes on the disk; returns how many messages. Slower than `purge`, which leaves them in the files. */
    readonly erase: (stream: StreamName, filter: string) => Effect.Effect<number, Retryable>
    readonly purge: (stream: StreamName, filter: string) => Effect.Effect<number, Retryable>
    /** Create or update the streams of the contract, and the consumers of actors that may not make their own. */
    readonly provision: (options: {
      readonly keepConversations: boolean
      readonly consumers: ReadonlyArray<ConsumerSpec>
    }) => Effect.Effect<void, Retryable | Terminal>
    /** Publish without the log: for messages that may be lost (progress, audio to a page). */
    readonly shout: (subject: string, data: Bytes, headers?: Headers) => Effect.Effect<void>
    /** Asks and waits for one answer. Fails with `bus.unavailable` when nobody answers in time. */
    readonly request: (
      subject: string,
      data: Bytes,
      options: { readonly timeoutMs: number; readonly headers?: Headers }
    ) => Effect.Effect<Message, Retryable>
    /** Answers requests on a subject until the scope closes, many at a time; of several processes one answers. */
    readonly respond: <R>(
      subject: string,
      handle: (message: Message) => Effect.Effect<Omit<Message, "subject">, never, R>
    ) => Effect.Effect<void, Retryable, R | Scope.Scope>
    readonly listen: (subject: string) => Effect.Effect<Stream.Stream<Message>, Retryable, Scope.Scope>
  }
>()("voxbus/Bus") {}
