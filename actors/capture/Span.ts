/**
 * One span of a recording: a source is opened, its audio is cut into frames, and each frame counts when the log has it.
 * The source and the log run side by side, so that a bus that is away for seconds costs nothing.
 */
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Queue from "effect/Queue"
import * as Stream from "effect/Stream"
import type { Done } from "effect/Cause"
import { statfs } from "node:fs/promises"
import { levelSubject } from "../../contract/Subjects.ts"
import { Bus, type Bytes } from "../../kernel/Bus.ts"
import { type Failure, Terminal } from "../../kernel/Failure.ts"
import { FRAME_MS, makeFramer } from "./Framer.ts"
import { type LiveLog, onTimeline, type SavedSpan } from "./LiveLog.ts"
import { makeMeter } from "./Meter.ts"
import type { OpenSource, Source } from "./sources/Source.ts"

/** Frames between two looks at the disk: 5 s. */
const LOOK = 5_000 / FRAME_MS

export interface SpanOptions {
  readonly session: string
  readonly log: LiveLog
  readonly source: Source
  readonly unit: number
  /** Seconds of the source that are saved already, not rounded. */
  readonly recorded: number
  /** Called with the first audio; returns where the span begins on the timeline. */
  readonly begin: (open: OpenSource) => Effect.Effect<number, Failure>
  /** Told after each frame that is saved: the end on the timeline, and how much was recorded in this span, there and in seconds. */
  readonly saved: (end: number, length: number, seconds: number) => void
  /** Ends the span; what came until then is saved. */
  readonly stop: Deferred.Deferred<void>
  /** A folder on the disk of the log, and the bytes that must stay free there. */
  readonly disk: { readonly folder: string; readonly minFree: number }
}

const WORDS = {
  clipping: "The signal is clipped: turn the input down.",
  silence: "Nothing but silence for 10 seconds: is it the right device?"
} as const

/** Fails with `disk.full` while what was recorded can still be finished. */
export const checkDisk = Effect.fnUntraced(function* ({ folder, minFree }: SpanOptions["disk"]) {
  const free = yield* Effect.promise(() =>
    statfs(folder).then(
      ({ bavail, bsize }) => bavail * bsize,
      () => Infinity
    )
  )
  if (free < minFree)
    return yield* new Terminal({
      code: "disk.full",
      message: `Only ${Math.floor(free / 1e6)} MB are free on the disk of ${folder}; a recording wants ${Math.floor(minFree / 1e6)} MB.`
    })
})

/** Runs until the source ends, `stop` is set, or something fails; the span is on the log in every case. */
export const runSpan = (options: SpanOptions) =>
  Effect.scoped(
    Effect.gen(function* () {
      const { session, log, source, unit, stop } = options
      const bus = yield* Bus
      const open = yield* source.open(options.recorded)
      const { sampleRate, channels } = open
      const framer = makeFramer(sampleRate, channels)
      const meter = makeMeter(sampleRate, channels)
      const queue = yield* Queue.unbounded<Bytes, Done>()
      let lost: Failure | undefined
      let span: SavedSpan | undefined

      const feed = yield* open.feed(queue).pipe(
        Effect.catch((failure) => Effect.sync(() => (lost = failure))),
        Effect.ensuring(Queue.end(queue)),
        Effect.forkScoped
      )
      yield* Deferred.await(stop).pipe(Effect.andThen(Fiber.interrupt(feed)), Effect.forkScoped)

      const measure = Effect.fnUntraced(function* (frame: Bytes, at: number) {
        const { levels, warnings } = meter.push(frame)
        for (const level of levels) yield* bus.shout(levelSubject(session), new TextEncoder().encode(JSON.stringify({ session, ...level })))
        for (const kind of warnings) yield* log.counted("session.warned", { kind, at, message: WORDS[kind] })
      })

      const save = Effect.fnUntraced(function* (frame: Bytes) {
        const start = span?.start ?? (yield* options.begin(open))
        const count = span?.count ?? 0
        if (count % LOOK === 0) yield* checkDisk(options.disk)
        const sequence = yield* log.frame(frame, open, unit, start, count)
        const samples = (span?.samples ?? 0) + frame.length / 2 / channels
        span = { unit, start, sampleRate, channels, first: span?.first ?? sequence, last: sequence, count: count + 1, samples }
        const length = onTimeline(samples, sampleRate)
        options.saved(start + length, length, samples / sampleRate)
        yield* measure(frame, start + length)
      })

      const work = Stream.fromQueue(queue).pipe(
        Stream.map((chunk) => framer.push(chunk)),
        Stream.concat(Stream.suspend(() => Stream.make(framer.flush()))),
        Stream.flattenIterable,
        Stream.runForEach(save)
      )
      const outcome = yield* Effect.exit(work)
      if (span !== undefined) yield* log.captured(span)
      yield* outcome
      if (lost !== undefined) return yield* Effect.fail(lost)
    })
  )
