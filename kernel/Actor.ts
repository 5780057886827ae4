/**
 * An actor is a declaration: what it is called, what it consumes, what it may publish, and a function from one event to
 * a stream of events. It holds no bus code; `Runtime.ts` does the rest for every actor alike.
 *
 * The function may run again for the same event (after a crash, after a retry): what it publishes is numbered, and the
 * same number is stored once. Bump `logicVersion` when the output for the same input changes on purpose.
 *
 * @example
 * export const echo = Actor.make({
 *   name: "echo", logicVersion: 1, publishes: ["text.partial"],
 *   consumes: [{ mode: "call", tags: ["text.transcribed"], concurrency: 1 }],
 *   handle: (event) => Stream.succeed({ ... })
 * })
 */
import type * as Effect from "effect/Effect"
import type * as Stream from "effect/Stream"
import type { CommandSpec } from "../contract/Command.ts"
import type { Event, EventOf, EventTag, SessionEvent } from "../contract/Events.ts"
import type { Mode } from "../contract/Session.ts"
import type { StreamName } from "../contract/Subjects.ts"
import type { Failure, Retryable } from "./Failure.ts"

/** An event of the log with its place in it. */
export interface Logged<E extends Event = Event> {
  readonly event: E
  readonly subject: string
  readonly stream: StreamName
  readonly sequence: number
  /** Epoch milliseconds at which the log took it. */
  readonly time: number
  /** Who published it, and the `stream:sequence` of what it follows from. */
  readonly actor: string
  readonly cause: string
}

export interface ActorContext {
  /** Place of the event being handled. */
  readonly stream: StreamName
  readonly sequence: number
  /** Epoch milliseconds at which the log took it. */
  readonly time: number
  /** 1 for the first try. */
  readonly attempt: number
  /** Asks whoever serves a command that the actor names in `asks`. */
  readonly ask: <Request extends CommandSpec["request"], Reply extends CommandSpec["reply"]>(
    spec: CommandSpec<Request, Reply>,
    request: Request["Type"],
    timeoutMs?: number
  ) => Effect.Effect<Reply["Type"], Failure>
  /** Events of the same session, in order, of these kinds. */
  readonly history: <T extends EventTag>(tags: ReadonlyArray<T>) => Effect.Effect<ReadonlyArray<Logged<EventOf<T>>>, Retryable>
  /** Events of all sessions of the same mode, in order, of these kinds, from a sequence on. */
  readonly everything: <T extends EventTag>(
    tags: ReadonlyArray<T>,
    from: number
  ) => Effect.Effect<ReadonlyArray<Logged<EventOf<T>>>, Retryable>
}

export interface Consumes {
  readonly mode: Mode
  readonly tags: ReadonlyArray<EventTag>
  /** Units this process works on at once. Order between units is kept only with 1. */
  readonly concurrency: number
}

export interface Actor<R = never> {
  readonly name: string
  readonly logicVersion: number
  readonly consumes: ReadonlyArray<Consumes>
  readonly publishes: ReadonlyArray<EventTag>
  /** Names of the commands it may ask. */
  readonly asks?: ReadonlyArray<string>
  /** Failures after which an event goes to the dead letters; 5 by default. Killed processes do not count. */
  readonly attempts?: number
  readonly handle: (event: SessionEvent, context: ActorContext) => Stream.Stream<Event, Failure, R>
  /** Runs before the first event is taken: load models, warm up. */
  readonly prepare?: Effect.Effect<void, Failure, R>
}

export const make = <R>(actor: Actor<R>): Actor<R> => actor
