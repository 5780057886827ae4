/**
 * Where to cut: speech spans and samples in, chunks of at most 30 s out. Pure and incremental; it holds about half a
 * minute of audio, and what it does not depend on how the input is cut into blocks.
 *
 * Every sample of speech is in exactly one chunk, with 300 ms of what surrounds it, and nothing inside a chunk is taken
 * out. Silence between chunks is in none, so it is not transcribed. Why cuts are where they are: `nextChunk`.
 */
import { TIMELINE_RATE } from "../../contract/Events.ts"
import { makeWindow, type SampleWindow } from "./Window.ts"

/** Samples `start` (inclusive) to `end` (exclusive) of the timeline. */
export interface Span {
  readonly start: number
  readonly end: number
}

export interface Chunk extends Span {
  readonly samples: Int16Array
  /** Speech inside the chunk, absolute. */
  readonly speech: ReadonlyArray<Span>
}

export interface Chunker {
  /**
   * @param block the next samples
   * @param spans speech found since, in order
   * @param settled no later span begins before this sample
   */
  readonly push: (block: Int16Array, spans: ReadonlyArray<Span>, settled: number) => ReadonlyArray<Chunk>
  /** The rest, with the last spans. */
  readonly finish: (spans: ReadonlyArray<Span>) => ReadonlyArray<Chunk>
  /** So far: all samples, and those in speech spans. */
  readonly totals: () => { readonly samples: number; readonly speech: number }
}

const seconds = (value: number) => value * TIMELINE_RATE
/** A chunk is never longer. */
export const HARD_LIMIT = seconds(30)
/** When speech goes on, the cut is between these. */
const TARGET_MIN = seconds(20)
const TARGET_MAX = seconds(28)
/** Audio kept around speech. */
export const MARGIN = seconds(0.3)
/**
 * Audio kept after the last word of a turn that was listened to while it came: as much as the detector needs to be sure of
 * the pause. So what is transcribed is known when the pause is, however much later the button is let go.
 */
export const TAIL = seconds(0.1)
/** A pause this long ends a chunk that is at least `ENOUGH` long; one of `VERY_LONG` ends any. */
const LONG = seconds(2)
const ENOUGH = seconds(12)
const VERY_LONG = seconds(6)

/** Appends a span; one that touches the last is its continuation. */
const append = (spans: Array<Span>, { start, end }: Span) => {
  const last = spans.at(-1)
  if (last !== undefined && start <= last.end) spans[spans.length - 1] = { start: last.start, end: Math.max(last.end, end) }
  else spans.push({ start, end })
}

/** The parts of spans inside `within`. */
export const clip = (spans: ReadonlyArray<Span>, within: Span): ReadonlyArray<Span> =>
  spans
    .map(({ start, end }) => ({ start: Math.max(start, within.start), end: Math.min(end, within.end) }))
    .filter(({ start, end }) => end > start)

export const lengthOf = (spans: ReadonlyArray<Span>): number => spans.reduce((sum, { start, end }) => sum + end - start, 0)

/**
 * The next chunk after sample `from`.
 *
 * 1. A long pause ends it: 2 s when the chunk has 12 s already, 6 s in any case, and always when speech ends within 30 s.
 * 2. When speech goes on past 30 s, it is cut in the longest pause between 20 and 28 s, in the middle if it is short.
 * 3. When nobody pauses for 8 s (music), at the quietest point there.
 *
 * It looks `HARD_LIMIT + LONG` ahead and not further, so that the answer is the same whenever it is asked.
 *
 * @param spans speech after `from`, complete as far as it looks ahead; at least one
 * @param quietest the quietest sample between two
 */
const nextChunk = (spans: ReadonlyArray<Span>, from: number, quietest: (start: number, end: number) => number): Span => {
  const start = beginning(spans, from)
  const horizon = start + HARD_LIMIT + LONG
  const seen = clip(spans, { start, end: horizon })
  const pauses = seen
    .map(({ end }, index) => ({ start: end, end: seen[index + 1]?.start ?? horizon }))
    .filter((pause) => pause.end > pause.start)
  const final = pauses.find((pause) => isFinal(pause, start))
  if (final !== undefined) return { start, end: final.start + MARGIN }
  const window = { start: start + TARGET_MIN, end: start + TARGET_MAX }
  const overlap = (pause: Span) => Math.min(pause.end, window.end) - Math.max(pause.start, window.start)
  const longest = pauses.filter((pause) => overlap(pause) > 0).sort((a, b) => overlap(b) - overlap(a) || b.start - a.start)[0]
  if (longest === undefined) return { start, end: quietest(window.start, window.end) }
  const middle = Math.floor((longest.start + longest.end) / 2)
  return { start, end: Math.min(longest.start + MARGIN, middle) }
}

/** Whether a pause ends the chunk that began at `start`. */
const isFinal = (pause: Span, start: number): boolean => {
  const needed = pause.start - start >= ENOUGH ? LONG : VERY_LONG
  return pause.end - pause.start >= needed && pause.start <= start + HARD_LIMIT - MARGIN
}

/**
 * Whether the chunk can be cut now: everything `nextChunk` looks at is settled, or a pause is long enough already,
 * whatever comes after it. The second is for live recordings, where it saves up to half a minute.
 */
const isDecided = (spans: ReadonlyArray<Span>, from: number, settled: number): boolean => {
  const start = beginning(spans, from)
  if (settled >= start + HARD_LIMIT + LONG) return true
  return spans.some(({ end }, index) => isFinal({ start: end, end: Math.min(spans[index + 1]?.start ?? settled, settled) }, start))
}

/** First sample of the chunk that begins with the first of these spans. */
const beginning = (spans: ReadonlyArray<Span>, from: number): number => Math.max(from, (spans[0]?.start ?? from) - MARGIN)

/** @param audio where samples are held while they may still be needed */
export const makeChunker = (audio: SampleWindow = makeWindow()): Chunker => {
  /** Speech that is in no chunk yet, merged. */
  let pending: Array<Span> = []
  /** End of the last chunk. */
  let from = 0
  let speech = 0

  const cut = (): Chunk => {
    const planned = nextChunk(pending, from, audio.quietest)
    const span = { start: planned.start, end: Math.min(planned.end, audio.end()) }
    const chunk = { ...span, samples: audio.slice(span.start, span.end), speech: clip(pending, span) }
    from = span.end
    pending = [...clip(pending, { start: from, end: Infinity })]
    return chunk
  }

  const add = (spans: ReadonlyArray<Span>) => {
    for (const span of spans) append(pending, span)
    speech += lengthOf(spans)
  }

  return {
    push: (block, spans, settled) => {
      audio.push(block)
      add(spans)
      const chunks: Array<Chunk> = []
      while (pending.length > 0 && isDecided(pending, from, settled)) chunks.push(cut())
      audio.dropBefore(Math.max(from, Math.min(settled, pending[0]?.start ?? settled) - MARGIN))
      return chunks
    },
    finish: (spans) => {
      add(spans)
      const chunks: Array<Chunk> = []
      while (pending.length > 0) chunks.push(cut())
      return chunks
    },
    totals: () => ({ samples: audio.end(), speech })
  }
}

/**
 * The one chunk of a turn: all of its speech with the margin, or all of it when there is none, so that the turn is
 * answered. A turn of more than 30 s stays whole.
 *
 * @param samples of the whole turn
 * @param tail samples kept after the last word
 */
export const wholeTurn = (samples: Int16Array, spans: ReadonlyArray<Span>, tail = MARGIN): Chunk => {
  const speech: Array<Span> = []
  for (const span of spans) append(speech, span)
  const first = speech[0]
  const last = speech.at(-1)
  if (first === undefined || last === undefined) {
    const end = Math.min(samples.length, HARD_LIMIT)
    return { start: 0, end, samples: samples.subarray(0, end), speech: [] }
  }
  const start = Math.max(0, first.start - MARGIN)
  const end = Math.min(samples.length, last.end + tail)
  return { start, end, samples: samples.subarray(start, end), speech }
}
