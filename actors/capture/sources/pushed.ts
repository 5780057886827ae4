/**
 * Audio that a client sends: a browser over the WebSocket, a program through `recording.push`. A client keeps what is not
 * saved yet; one that is silent for some seconds is gone, and when it comes back it goes on with what it kept.
 */
import type { Done } from "effect/Cause"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Queue from "effect/Queue"
import * as Schedule from "effect/Schedule"
import type { LiveSource } from "../../../contract/RecordingEvents.ts"
import type { Bytes } from "../../../kernel/Bus.ts"
import { type Failure, Retryable, Terminal } from "../../../kernel/Failure.ts"
import type { Source } from "./Source.ts"

const GONE_AFTER = "5 seconds"
/** Pieces that may wait for the log; a client that sends faster waits with them. */
const ROOM = 128

const gone = new Retryable({ code: "device.failed", message: "The client that sends the audio is gone." })

export interface PushedSource extends Source {
  /** Takes whole samples of all channels; false when nobody records. */
  readonly push: (pcm: Bytes) => Effect.Effect<boolean, Terminal>
  /** The sample per channel that is to come next, at the source's rate; nothing when nobody records. */
  readonly next: () => number | undefined
  /** Samples per channel that so many seconds are. */
  readonly samplesOf: (seconds: number) => number
  /** What the client had not sent is lost: the stretch ends, and the next one begins at its own time. */
  readonly missed: Effect.Effect<void>
}

type Pushed = Extract<LiveSource, { readonly kind: "stream" }>

interface Open {
  readonly queue: Queue.Queue<Bytes, Done>
  readonly alive: Queue.Queue<void>
  readonly cut: Deferred.Deferred<void>
  isCut: boolean
  /** Samples per channel. */
  received: number
}

export const pushedSource = ({ name, sampleRate, channels }: Pushed): PushedSource => {
  const group = 2 * channels
  let open: Open | undefined
  let continuous = true
  const samplesOf = (seconds: number) => Math.round(seconds * sampleRate)

  const feed = (recorded: number) =>
    Effect.fnUntraced(function* (queue: Queue.Queue<Bytes, Done>): Effect.fn.Return<void, Failure> {
      const alive = yield* Queue.sliding<void>(1)
      const cut = yield* Deferred.make<void>()
      const mine: Open = { queue, alive, cut, isCut: false, received: samplesOf(recorded) }
      const before = mine.received
      open = mine
      const silent = Effect.forever(Queue.take(alive).pipe(Effect.timeoutOrElse({ duration: GONE_AFTER, orElse: () => Effect.fail(gone) })))
      yield* Effect.raceFirst(silent, Effect.andThen(Deferred.await(cut), Effect.fail(gone))).pipe(
        Effect.ensuring(
          Effect.sync(() => {
            if (open === mine) open = undefined
            if (mine.received > before && !mine.isCut) continuous = true
          })
        )
      )
    })

  return {
    name,
    get continuous() {
      return continuous
    },
    samplesOf,
    next: () => open?.received,
    push: Effect.fnUntraced(function* (pcm) {
      if (pcm.length % group !== 0)
        return yield* new Terminal({
          code: "input.invalid",
          message: `${pcm.length} bytes are not whole samples: s16le with ${channels} channel(s) has ${group} bytes each.`
        })
      const mine = open
      if (mine === undefined) return false
      const full = Effect.map(Queue.size(mine.queue), (waiting) => open === mine && waiting >= ROOM)
      if (yield* full)
        yield* full.pipe(
          // Whoever waits for us is not gone.
          Effect.tap((full) => (full ? Queue.offer(mine.alive, undefined) : Effect.void)),
          Effect.repeat({ while: (full) => full, schedule: Schedule.spaced("20 millis") })
        )
      if (open !== mine || !(yield* Queue.offer(mine.queue, pcm))) return false
      mine.received += pcm.length / group
      Queue.offerUnsafe(mine.alive, undefined)
      return true
    }),
    missed: Effect.suspend(() => {
      continuous = false
      if (open === undefined) return Effect.void
      open.isCut = true
      return Effect.asVoid(Deferred.succeed(open.cut, undefined))
    }),
    open: (recorded) => Effect.succeed({ sampleRate, channels, feed: feed(recorded) })
  }
}
