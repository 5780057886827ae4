/**
 * A call while it is being recorded: follows its frames from the first to the end mark and cuts chunks as they become
 * clear, so that most of the transcript is there when the recording stops.
 *
 * The state (detector, chunker, resampler) lives as long as the recording. A run that died begins again at the first
 * frame, makes the same chunks, and the log stores none of them twice. A gap between two spans (a pause, a crash) is
 * silence on the timeline.
 */
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import { type AudioCompleted, type Event, type SessionOpened, TIMELINE_RATE } from "../../contract/Events.ts"
import type { Blobs } from "../../kernel/Blobs.ts"
import type { Failure } from "../../kernel/Failure.ts"
import { Frames, type LiveFrame } from "../../kernel/Frames.ts"
import * as Media from "../../kernel/Media.ts"
import { makeChannelMeter } from "./Channels.ts"
import { makeChunker } from "./Chunker.ts"
import { normalized } from "./Normalized.ts"
import { Vad } from "./Vad.ts"

type Opened = typeof SessionOpened.Type

/** Samples of silence made at once. */
const BLOCK = TIMELINE_RATE / 2

/** Little-endian bytes as samples. */
const samplesOf = (data: LiveFrame["data"]): Int16Array => {
  const samples = new Int16Array(data.length >> 1)
  new Uint8Array(samples.buffer).set(data.subarray(0, samples.byteLength))
  return samples
}

/** Frames to blocks of the timeline, gaps included. */
const makeTimeline = (resampler: Effect.Success<typeof Media.pushResampler>) => {
  let position = 0
  let span = 0
  /** Samples to leave out, where a converter gave a few more than its span has. */
  let excess = 0

  const emit = (samples: Int16Array): ReadonlyArray<Int16Array> => {
    const kept = samples.subarray(Math.min(excess, samples.length))
    excess -= samples.length - kept.length
    position += kept.length
    return kept.length === 0 ? [] : [kept]
  }

  function* blocks(frame: LiveFrame): Generator<Int16Array> {
    if (frame.span !== span || frame.end !== undefined) {
      yield* emit(resampler.flush())
      if (frame.end !== undefined) return
      span = frame.span
      while (position < frame.start) yield* emit(new Int16Array(Math.min(BLOCK, frame.start - position)))
      excess = position - frame.start
    }
    yield* emit(resampler.push(samplesOf(frame.data), frame.sampleRate, frame.channels))
  }
  return { blocks, position: () => position }
}

export const normalizeLive = (event: Opened): Stream.Stream<Event, Failure, Blobs | Frames | Vad> =>
  Stream.unwrap(
    Effect.gen(function* () {
      const frames = yield* Frames
      const detector = yield* (yield* Vad).detector
      const timeline = makeTimeline(yield* Media.pushResampler)
      const chunker = makeChunker()
      const meter = makeChannelMeter()
      let first: LiveFrame | undefined
      let end: LiveFrame["end"]
      let twoSided = false
      let unit = 0

      const chunks = frames.follow(event).pipe(
        Stream.mapEffect((frame) => Effect.as(Effect.yieldNow, frame)),
        Stream.tap((frame) =>
          Effect.sync(() => {
            end = frame.end
            if (frame.end === undefined) first ??= frame
          })
        ),
        Stream.flatMap((frame) => {
          if (frame.channels === 2) {
            twoSided = true
            meter.push(samplesOf(frame.data), frame.sampleRate, Math.max(timeline.position(), frame.start))
          }
          return Stream.fromIterable(timeline.blocks(frame))
        }),
        Stream.map((block) => {
          const { spans, settled } = detector.push(block)
          return chunker.push(block, spans, settled)
        }),
        Stream.flattenIterable,
        Stream.concat(Stream.suspend(() => Stream.fromIterable(end === "closed" ? chunker.finish(detector.finish().spans) : [])))
      )
      const events = chunks.pipe(Stream.mapEffect((chunk) => normalized(event, ++unit, chunk, twoSided ? meter.within(chunk) : undefined)))
      const completed = Stream.suspend(() => {
        // Cancelled: nothing more comes of it.
        if (end !== "closed" || first === undefined) return Stream.empty
        const { samples, speech } = chunker.totals()
        const result: typeof AudioCompleted.Type = {
          _tag: "audio.completed",
          v: 1,
          mode: event.mode,
          session: event.session,
          chunks: unit,
          samples,
          speechSamples: speech,
          sourceSampleRate: first.sampleRate,
          sourceChannels: first.channels
        }
        return Stream.make(result)
      })
      return Stream.concat(events, completed)
    })
  )
