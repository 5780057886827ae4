/**
 * An utterance while it is being spoken: brought to 16 kHz and searched for speech frame by frame, so that at its end
 * only the last frame is left to do. What it hears is what `Normalizer.ts` would make of the same frames afterwards.
 *
 * The gateway listens, the normalizer asks `recall` for what was heard. Gotcha: that works only where both live in one
 * process; elsewhere, and after a crash, the normalizer reads the frames from the log and comes to the same result.
 */
import * as Effect from "effect/Effect"
import type { Scope } from "effect/Scope"
import { type FrameRange, TIMELINE_RATE } from "../../contract/Events.ts"
import type { SessionId } from "../../contract/Session.ts"
import type { Bytes } from "../../kernel/Bus.ts"
import type { Terminal } from "../../kernel/Failure.ts"
import * as Media from "../../kernel/Media.ts"
import { type Chunk, HARD_LIMIT, type Span, TAIL, wholeTurn } from "./Chunker.ts"
import { Vad } from "./Vad.ts"

/** All of an utterance. */
export interface Heard {
  readonly samples: Int16Array
  readonly spans: ReadonlyArray<Span>
}

/** Samples of a pause after which most people have ended; shorter ones are within a sentence. */
const LIKELY = 0.3 * TIMELINE_RATE

/** Samples; a longer utterance is read from the log when it is over. */
const LONGEST_HEARD = 60 * TIMELINE_RATE

export interface Ear {
  /** Takes the next frame, `s16le` in the format the ear was made for. */
  readonly push: (pcm: Bytes) => void
  /** The turn as it would be if nothing more were said; once for each pause, and once more when that is long, else nothing. */
  readonly preview: () => { readonly chunk: Chunk; readonly likely: boolean } | undefined
  /** The end; call it once. Nothing for an utterance that was too long to be kept in memory twice. */
  readonly finish: () => Heard | undefined
}

/** Samples as a view where the address allows it, else a copy. */
const samplesOf = (pcm: Bytes): Int16Array => {
  const samples = new Int16Array(pcm.length >> 1)
  new Uint8Array(samples.buffer).set(pcm.subarray(0, samples.byteLength))
  return samples
}

/** @param format Hertz and interleaved channels of the frames; each frame must hold whole samples of all channels */
export const makeEar = Effect.fnUntraced(function* (format: {
  readonly sampleRate: number
  readonly channels: number
}): Effect.fn.Return<Ear, Terminal, Vad | Scope> {
  const detector = yield* (yield* Vad).detector
  const resampler = yield* Media.pushResampler
  const { sampleRate, channels } = format
  const blocks: Array<Int16Array> = []
  const spans: Array<Span> = []
  let total = 0
  let speaking = false
  let previewed = 0
  let likelyPreviewed = 0

  const hear = (block: Int16Array) => {
    if (block.length === 0 || total > LONGEST_HEARD) return
    blocks.push(block)
    total += block.length
    const detected = detector.push(block)
    speaking = detected.speaking
    spans.push(...detected.spans)
  }

  return {
    push: (pcm) => {
      if (total <= LONGEST_HEARD) hear(resampler.push(samplesOf(pcm), sampleRate, channels))
      else blocks.length = 0
    },
    preview: () => {
      const end = spans.at(-1)?.end ?? 0
      if (end === likelyPreviewed || speaking || total < end + TAIL) return undefined
      const likely = total >= end + LIKELY
      if (end === previewed && !likely) return undefined
      previewed = end
      if (likely) likelyPreviewed = end
      const chunk = wholeTurn(Media.joined(blocks), spans, TAIL)
      return chunk.samples.length > HARD_LIMIT ? undefined : { chunk, likely }
    },
    finish: () => {
      hear(resampler.flush())
      if (total > LONGEST_HEARD) return undefined
      spans.push(...detector.finish().spans)
      return { samples: Media.joined(blocks), spans }
    }
  }
})

/** Utterances that were heard and wait for the normalizer; few, because it comes within milliseconds. */
const heard = new Map<string, Heard>()
const MOST = 8

const keyOf = (session: SessionId, { first, last, count }: FrameRange) => `${session} ${first} ${last} ${count}`

/** Leaves an utterance for the normalizer of this process. */
export const remember = (session: SessionId, range: FrameRange, utterance: Heard): void => {
  heard.set(keyOf(session, range), utterance)
  for (const key of [...heard.keys()].slice(0, -MOST)) heard.delete(key)
}

/** What was heard of exactly these frames, once. */
export const recall = (session: SessionId, range: FrameRange): Heard | undefined => {
  const key = keyOf(session, range)
  const found = heard.get(key)
  heard.delete(key)
  return found
}
