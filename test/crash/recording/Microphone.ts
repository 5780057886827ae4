/**
 * Somebody who speaks without a break and never says anything twice, as a microphone does: pieces of 50 ms, each handed
 * over when it has been said. What is said while nobody records is not counted; it is one *life* from the first piece
 * that is taken until the recorder dies.
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Schedule from "effect/Schedule"
import { RecordingPush } from "../../../contract/RecordingCommands.ts"
import type { SessionId } from "../../../contract/Session.ts"
import { call } from "../../../kernel/Commands.ts"
import { Retryable } from "../../../kernel/Failure.ts"
import { RATE, voice } from "./Voice.ts"

const PIECE_MS = 50
const PIECE = (RATE * PIECE_MS) / 1000

export interface Life {
  /** First sample of the voice that was said in it. */
  readonly from: number
  /** Epoch milliseconds at which it was said. */
  readonly began: number
  /** Samples that were handed over, and that the recorder said it took. */
  readonly handed: () => number
  readonly taken: () => number
  /** Says no more; done when the last piece has been answered. */
  readonly finish: Effect.Effect<void>
}

/** Samples said in a life until a moment. Where this process was itself late, it said no more than the piece after the last. */
export const saidUntil = ({ began, handed }: Life, at: number): number =>
  Math.max(0, Math.min(Math.floor(((at - began) * RATE) / 1000), handed() + PIECE))

/** Begins to speak when the recorder takes it, and goes on until the scope closes or nobody listens. */
export const speak = Effect.fnUntraced(function* (session: SessionId, from: number) {
  let handed = 0
  let taken = 0
  /** Samples that the recorder had before this life. */
  let base = 0
  const push = (pcm: Int16Array) =>
    call(RecordingPush, { session, pcm: Buffer.from(pcm.buffer, pcm.byteOffset, pcm.byteLength).toString("base64") }, { timeoutMs: 2_000 })
  const hand = Effect.fnUntraced(function* (piece: number) {
    handed = (piece + 1) * PIECE
    const { next } = yield* push(voice(from + piece * PIECE, from + handed))
    if (next !== base + handed) return yield* new Retryable({ code: "recording.state", message: "the piece was not taken" })
    taken = handed
  })
  yield* Effect.gen(function* () {
    const { state, next } = yield* push(new Int16Array())
    if (state !== "recording") return yield* new Retryable({ code: "recording.state", message: state })
    base = next
    yield* hand(0)
  }).pipe(Effect.retry(Schedule.spaced("20 millis").pipe(Schedule.upTo({ duration: "60 seconds" }))))
  const began = (yield* Clock.currentTimeMillis) - PIECE_MS
  let piece = 1
  let silent = false
  const speaking = yield* Effect.gen(function* () {
    const wait = began + (piece + 1) * PIECE_MS - (yield* Clock.currentTimeMillis)
    if (wait > 0) yield* Effect.sleep(wait)
    yield* hand(piece)
    piece += 1
  }).pipe(Effect.repeat({ until: () => silent }), Effect.ignore, Effect.forkScoped)
  const finish = Effect.suspend(() => {
    silent = true
    return Effect.asVoid(Fiber.await(speaking))
  })
  const life: Life = { from, began, handed: () => handed, taken: () => taken, finish }
  return life
})
