/**
 * The normalizer: what was captured, in any codec, becomes chunks of 16 kHz mono PCM on the session's timeline.
 *
 * A call is cut into chunks while it is still being decoded, then `audio.completed` says how many there are; a call
 * without speech has none. A turn of the assistant is always exactly one chunk, so that it is answered. The same input
 * gives the same events to the byte.
 */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import { type AudioCaptured, type AudioCompleted, type AudioNormalized, type Event, TIMELINE_RATE } from "../../contract/Events.ts"
import * as Actor from "../../kernel/Actor.ts"
import { Blobs } from "../../kernel/Blobs.ts"
import { type Failure, Terminal } from "../../kernel/Failure.ts"
import { Frames } from "../../kernel/Frames.ts"
import * as Media from "../../kernel/Media.ts"
import { type Chunk, lengthOf, makeChunker, type Span, wholeTurn } from "./Chunker.ts"
import { Vad } from "./Vad.ts"

type Captured = typeof AudioCaptured.Type

const MEDIA_TYPE = "audio/x-pcm;rate=16000"
/** dBFS of digital silence. */
const SILENCE = -120
/** Samples of the longest turn, 10 minutes: a turn is held in memory. */
const LONGEST_TURN = TIMELINE_RATE * 600

const peakDbfs = (samples: Int16Array): number => {
  let peak = 0
  for (const sample of samples) peak = Math.max(peak, Math.abs(sample))
  return peak === 0 ? SILENCE : Math.round(2000 * Math.log10(peak / 32768)) / 100
}

/** The samples of what was captured, from wherever they are. */
const timelineOf = Effect.fnUntraced(function* (event: Captured): Effect.fn.Return<Media.Timeline, Failure, Blobs | Frames | Scope.Scope> {
  const { audio, codec, sampleRate, channels } = event
  const payloads = "blob" in audio ? (yield* Blobs).stream(event, audio.blob) : (yield* Frames).read(event, audio.frames)
  if ("blob" in audio && codec !== "pcm_s16le") return yield* Media.decodeToTimeline({ kind: "bytes", chunks: payloads })
  if (sampleRate === undefined || channels === undefined) {
    return yield* new Terminal({ code: "input.invalid", message: "Raw audio needs its sample rate and channels in audio.captured." })
  }
  return {
    info: { codec, sampleRate, channels },
    samples: Media.pcmSamples(payloads).pipe(Media.resampleStream(sampleRate, channels)),
    truncated: Effect.succeed(false)
  }
})

const normalized = Effect.fnUntraced(function* (event: Captured, unit: number, chunk: Chunk): Effect.fn.Return<Event, Failure, Blobs> {
  const { mode, session, config } = event
  const { start, end, samples, speech } = chunk
  const bytes = new Uint8Array(samples.buffer, samples.byteOffset, samples.byteLength)
  const audio = yield* (yield* Blobs).put(event, bytes, MEDIA_TYPE)
  const result: typeof AudioNormalized.Type = {
    _tag: "audio.normalized",
    v: 1,
    mode,
    session,
    start,
    end,
    unit,
    audio,
    speech,
    speechRatio: lengthOf(speech) / (end - start),
    peakDbfs: peakDbfs(samples),
    config
  }
  return result
})

const warnIfTruncated = (event: Captured, timeline: Media.Timeline) =>
  Effect.flatMap(timeline.truncated, (truncated) =>
    truncated
      ? Effect.logWarning("the audio is damaged or cut short; what could be decoded is used").pipe(
          Effect.annotateLogs({ session: event.session, unit: event.unit, codec: timeline.info.codec }),
          Effect.as(true)
        )
      : Effect.succeed(false)
  )

const normalizeCall = (event: Captured): Stream.Stream<Event, Failure, Blobs | Frames | Vad> =>
  Stream.unwrap(
    Effect.gen(function* () {
      if (event.unit !== 1) {
        return yield* new Terminal({
          code: "input.invalid",
          message: "A call is one recording; this one has a second. Import it as a call of its own."
        })
      }
      const timeline = yield* timelineOf(event)
      const detector = yield* (yield* Vad).detector
      const chunker = makeChunker()
      const rest = Stream.suspend(() => Stream.fromIterable(chunker.finish(detector.finish().spans)))
      const chunks = timeline.samples.pipe(
        Stream.map((block) => {
          const { spans, settled } = detector.push(block)
          return chunker.push(block, spans, settled)
        }),
        Stream.flattenIterable,
        Stream.concat(rest)
      )
      let unit = 0
      const events = chunks.pipe(Stream.mapEffect((chunk) => normalized(event, ++unit, chunk)))
      const completed = Effect.gen(function* () {
        const truncated = yield* warnIfTruncated(event, timeline)
        const { samples, speech } = chunker.totals()
        if (samples === 0) return yield* Media.noSamples
        const { mode, session } = event
        const { sampleRate: sourceSampleRate, channels: sourceChannels } = timeline.info
        const result: typeof AudioCompleted.Type = {
          _tag: "audio.completed",
          v: 1,
          mode,
          session,
          chunks: unit,
          samples,
          speechSamples: speech,
          sourceSampleRate,
          sourceChannels,
          ...(truncated ? { truncated } : {})
        }
        return result
      })
      return Stream.concat(events, Stream.fromEffect(completed))
    })
  )

const normalizeTurn = Effect.fnUntraced(function* (event: Captured): Effect.fn.Return<Event, Failure, Blobs | Frames | Vad | Scope.Scope> {
  const timeline = yield* timelineOf(event)
  const detector = yield* (yield* Vad).detector
  const blocks: Array<Int16Array> = []
  const spans: Array<Span> = []
  let total = 0
  yield* Stream.runForEach(timeline.samples, (block) =>
    Effect.gen(function* () {
      total += block.length
      if (total > LONGEST_TURN) {
        return yield* new Terminal({
          code: "audio.too_large",
          message: "A question may be 10 minutes long. Import longer audio as a call."
        })
      }
      blocks.push(block)
      spans.push(...detector.push(block).spans)
    })
  )
  if (total === 0) return yield* Media.noSamples
  yield* warnIfTruncated(event, timeline)
  return yield* normalized(event, event.unit, wholeTurn(Media.joined(blocks), [...spans, ...detector.finish().spans]))
})

/** Loads the decoder and the detector before the first utterance. */
const prepare = Effect.gen(function* () {
  yield* Media.warmUp
  yield* Effect.scoped((yield* Vad).detector)
})

export const normalizerActor = Actor.make<Blobs | Frames | Vad>({
  name: "normalizer",
  logicVersion: 1,
  consumes: [
    { mode: "call", tags: ["audio.captured"], concurrency: 1 },
    { mode: "assistant", tags: ["audio.captured"], concurrency: 2 }
  ],
  publishes: ["audio.normalized", "audio.completed"],
  prepare,
  handle: (event) => {
    if (event._tag !== "audio.captured") return Stream.empty
    return event.mode === "call" ? normalizeCall(event) : Stream.fromEffect(Effect.scoped(normalizeTurn(event)))
  }
})
