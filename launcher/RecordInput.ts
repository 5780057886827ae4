/**
 * `voxbus record --stdin`: raw audio from standard input into a recording. What is not saved is kept and sent again after
 * the instance was away; the end of the input ends the recording.
 */
import type { Done } from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Queue from "effect/Queue"
import * as Schedule from "effect/Schedule"
import * as Stream from "effect/Stream"
import { RecordingPush, RecordingStop } from "../contract/RecordingCommands.ts"
import type { SessionId } from "../contract/Session.ts"
import { call } from "../kernel/Commands.ts"
import { describe, Terminal } from "../kernel/Failure.ts"

/** Bytes sent at once: below what a message of the bus may have, whole samples. */
const PIECE = 128 * 1024
/** Pieces of the pipe (64 KiB) that are read ahead while the instance is away. */
const AHEAD = 512

/** What was read and is not saved, from sample `from` on. */
interface Kept {
  bytes: Buffer
  from: number
  /** The next sample to send. */
  at: number
}

/** @param input interleaved `s16le` */
export const pump = Effect.fnUntraced(function* (session: SessionId, channels: number, input: AsyncIterable<Buffer>) {
  const group = 2 * channels
  const queue = yield* Queue.bounded<Buffer, Done>(AHEAD)
  const kept: Kept = { bytes: Buffer.alloc(0), from: 0, at: 0 }

  /** However long the instance is away; not when it says no. */
  const push = (pcm: Buffer) =>
    call(RecordingPush, { session, pcm: pcm.toString("base64") }).pipe(
      // Not taken: where it goes on.
      Effect.catchIf(
        ({ code }) => code === "recording.state",
        () => call(RecordingPush, { session, pcm: "" })
      ),
      Effect.retry({ while: ({ code }) => code === "bus.unavailable", schedule: Schedule.spaced("500 millis") })
    )

  const send = Effect.gen(function* () {
    const start = (kept.at - kept.from) * group
    const piece = kept.bytes.subarray(start, start + PIECE - (PIECE % group))
    const whole = piece.subarray(0, piece.length - (piece.length % group))
    if (whole.length === 0) return false
    const { state, samples, next } = yield* push(whole)
    const after = kept.at + whole.length / group
    if (next === after) kept.at = after
    else if (state === "paused" || state === "discarded") {
      // Said in a pause: left out, and what follows takes its number.
      kept.bytes = Buffer.concat([kept.bytes.subarray(0, start), kept.bytes.subarray(start + whole.length)])
    } else {
      kept.at = Math.max(kept.from, next)
      yield* Effect.sleep("100 millis")
    }
    const saved = Math.min(samples, kept.at) - kept.from
    if (saved > 0) {
      kept.bytes = kept.bytes.subarray(saved * group)
      kept.from += saved
    }
    return true
  }).pipe(Effect.repeat({ while: (more) => more }))

  yield* Stream.fromAsyncIterable(
    input,
    (cause) => new Terminal({ code: "input.invalid", message: `Standard input cannot be read: ${describe(cause)}`, cause })
  ).pipe(
    Stream.runForEach((chunk) => Queue.offer(queue, chunk)),
    Effect.ensuring(Queue.end(queue)),
    Effect.forkScoped
  )
  yield* Stream.fromQueue(queue).pipe(
    Stream.runForEach((chunk) => {
      kept.bytes = Buffer.concat([kept.bytes, chunk])
      return send
    })
  )
  yield* call(RecordingStop, { session })
}, Effect.scoped)
