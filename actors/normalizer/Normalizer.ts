/**
 * The normalizer: what was captured, in any codec, becomes chunks of 16 kHz mono PCM on the session's timeline.
 *
 * A call is cut into chunks while it is still being decoded, then `audio.completed` says how many there are; a call
 * without speech has none. A turn of the assistant is always exactly one chunk, so that it is answered. The same input
 * gives the same events to the byte. A further version of a transcript gets the same chunks under its own number.
 */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import { type AudioCaptured, type AudioCompleted, type Event, type EventOf, TIMELINE_RATE } from "../../contract/Events.ts"
import * as Actor from "../../kernel/Actor.ts"
import { Blobs } from "../../kernel/Blobs.ts"
import { type Failure, Retryable, Terminal } from "../../kernel/Failure.ts"
import { Frames } from "../../kernel/Frames.ts"
import * as Media from "../../kernel/Media.ts"
import { makeChunker, type Span, wholeTurn } from "./Chunker.ts"
import { recall } from "./Ear.ts"
import { normalizeLive } from "./Live.ts"
import { normalized } from "./Normalized.ts"
import { Vad } from "./Vad.ts"

type Captured = typeof AudioCaptured.Type

/** Samples of the longest turn, 10 minutes: a turn is held in memory. */
const LONGEST_TURN = TIMELINE_RATE * 600

/** Samples of the longest call, 24 hours: a file of a megabyte can hold years of silence. */
const LONGEST_CALL = TIMELINE_RATE * 24 * 3600

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
        Stream.mapEffect((block) => {
          if (chunker.totals().samples > LONGEST_CALL)
            return Effect.fail(new Terminal({ code: "audio.too_large", message: "A call may be 24 hours long. Split the recording." }))
          const { spans, settled } = detector.push(block)
          return Effect.succeed(chunker.push(block, spans, settled))
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
  const heard = "frames" in event.audio ? recall(event.session, event.audio.frames) : undefined
  if (heard !== undefined) {
    if (heard.samples.length === 0) return yield* Media.noSamples
    return yield* normalized(event, event.unit, wholeTurn(heard.samples, heard.spans, event.tail))
  }
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
  return yield* normalized(event, event.unit, wholeTurn(Media.joined(blocks), [...spans, ...detector.finish().spans], event.tail))
})

/** The chunks of a call once more, to be transcribed as a new version says; all of them, so it waits for the last. */
const again = (event: EventOf<"transcript.requested">, context: Actor.ActorContext): Stream.Stream<Event, Failure> =>
  event.reason !== "model"
    ? Stream.empty
    : Stream.fromIterableEffect(
        Effect.gen(function* () {
          const log = yield* context.history(["audio.normalized", "audio.completed"])
          if (!log.some(({ event: each }) => each._tag === "audio.completed"))
            return yield* new Retryable({ code: "bus.unavailable", message: "The call is still being cut into chunks.", delayMs: 200 })
          return log.flatMap(({ event: chunk }) =>
            chunk._tag === "audio.normalized" && chunk.version === undefined
              ? [{ ...chunk, version: event.version, config: event.config }]
              : []
          )
        })
      )

/** Loads the decoder and the detector before the first utterance. */
const prepare = Effect.gen(function* () {
  yield* Media.warmUp
  yield* Effect.scoped((yield* Vad).detector)
})

export const normalizerActor = Actor.make<Blobs | Frames | Vad>({
  name: "normalizer",
  logicVersion: 1,
  consumes: [
    // A live recording holds its place for as long as it lasts.
    { mode: "call", tags: ["audio.captured", "session.opened", "transcript.requested"], concurrency: 4 },
    { mode: "assistant", tags: ["audio.captured"], concurrency: 2 }
  ],
  publishes: ["audio.normalized", "audio.completed"],
  prepare,
  handle: (event, context) => {
    if (event._tag === "transcript.requested") return again(event, context)
    if (event._tag === "session.opened") return event.live === undefined ? Stream.empty : normalizeLive(event)
    // The spans of a live recording have been read frame by frame.
    if (event._tag !== "audio.captured" || event.start !== undefined) return Stream.empty
    return event.mode === "call" ? normalizeCall(event) : Stream.fromEffect(Effect.scoped(normalizeTurn(event)))
  }
})
