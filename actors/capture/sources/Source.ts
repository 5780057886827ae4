/** Where live audio comes from, as the recorder sees it. One file per kind beside this one. */
import type { Done } from "effect/Cause"
import type * as Effect from "effect/Effect"
import * as Queue from "effect/Queue"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import type { Bytes } from "../../../kernel/Bus.ts"
import type { Failure } from "../../../kernel/Failure.ts"

export interface OpenSource {
  /** Hertz. */
  readonly sampleRate: number
  readonly channels: number
  /** Puts interleaved `s16le` into the queue as it comes. Ends when the source has no more, fails when it is lost. */
  readonly feed: (queue: Queue.Queue<Bytes, Done>) => Effect.Effect<void, Failure>
}

/** The feed of a source that is a stream. */
export const streamed =
  (chunks: Stream.Stream<Bytes, Failure>): OpenSource["feed"] =>
  (queue) =>
    Stream.runForEach(chunks, (chunk) => Queue.offer(queue, chunk))

export interface Source {
  /** For people. */
  readonly name: string
  /**
   * True when nothing is missed while nobody listens (a file, a client that keeps what was not saved): after a crash it
   * goes on without a gap.
   */
  readonly continuous: boolean
  /** @param recorded seconds of it that are saved already */
  readonly open: (recorded: number) => Effect.Effect<OpenSource, Failure, Scope.Scope>
}
