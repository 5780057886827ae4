/**
 * The core budget of a host: whoever computes (transcriber lanes, language model, voice) asks for threads first and
 * runs with what it was granted. The sum never exceeds the cores, over all processes of the host.
 *
 * ggml threads spin at barriers: with more threads than cores a job is not slower by the excess but by 20-45 times.
 */
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type { Retryable } from "./Failure.ts"

export interface CoreRequest {
  /** Who asks, for `voxbus doctor`: actor and engine. */
  readonly holder: string
  /** Interactive requests are granted before batch ones, and keep one core from batch work while they are recent. */
  readonly lane: "interactive" | "batch"
  /** Threads that would help; 1 to this many are granted. */
  readonly want: number
}

export interface Lease {
  readonly threads: number
  /** Give back all but `threads` before the work is done. */
  readonly shrink: (threads: number) => Effect.Effect<void>
}

export class Cores extends Context.Service<
  Cores,
  {
    /** Threads of this host that may compute at once. */
    readonly total: number
    /** Waits for at least one thread, runs `use` with the grant, gives it back however `use` ends. */
    readonly lease: <A, E, R>(request: CoreRequest, use: (lease: Lease) => Effect.Effect<A, E, R>) => Effect.Effect<A, E | Retryable, R>
  }
>()("voxbus/Cores") {}
