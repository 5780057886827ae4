/** Runs a chunker over blocks as they may come, and says which of its laws (R8) is broken. */
import { type Chunk, HARD_LIMIT, lengthOf, makeChunker, type Span } from "../Chunker.ts"
import { makeWindow, type SampleWindow } from "../Window.ts"

/** One block of input, samples, and how far the detector is behind it. */
export interface Piece {
  readonly length: number
  readonly lag: number
}

/** Positions without samples: fast enough for thousands of patterns. */
const hollow = (): SampleWindow => {
  let total = 0
  return {
    push: (block) => void (total += block.length),
    end: () => total,
    slice: () => new Int16Array(0),
    quietest: (start, end) => Math.floor((start + end) / 2),
    dropBefore: () => undefined
  }
}

/** A block that has a length and nothing else: the window above asks for no more. */
const quiet = new Int16Array(60 * 16_000)

/** @param audio absent: only the positions of the chunks are made */
export const chunksIn = (total: number, speech: ReadonlyArray<Span>, next: () => Piece, audio?: Int16Array): ReadonlyArray<Chunk> => {
  const chunker = makeChunker(audio === undefined ? hollow() : makeWindow())
  const chunks: Array<Chunk> = []
  let known = 0
  const learn = (until: number) => {
    const found = speech
      .map(({ start, end }) => ({ start: Math.max(start, known), end: Math.min(end, until) }))
      .filter(({ start, end }) => end > start)
    known = Math.max(known, until)
    return found
  }
  for (let at = 0; at < total;) {
    const piece = next()
    const length = Math.min(total - at, Math.max(1, piece.length), audio === undefined ? quiet.length : total)
    const block = audio === undefined ? quiet.subarray(0, length) : audio.subarray(at, at + length)
    at += length
    const spans = learn(Math.max(known, at - piece.lag))
    chunks.push(...chunker.push(block, spans, known))
  }
  chunks.push(...chunker.finish(learn(total)))
  const totals = chunker.totals()
  if (totals.samples !== total || totals.speech !== lengthOf(speech)) throw new Error(`its totals are wrong: ${JSON.stringify(totals)}`)
  return chunks
}

export const spansOf = (chunks: ReadonlyArray<Chunk>) => chunks.map(({ start, end, speech }) => ({ start, end, speech }))

/** What is wrong with these chunks, if anything. */
export const brokenLaw = (total: number, speech: ReadonlyArray<Span>, chunks: ReadonlyArray<Chunk>): string | undefined => {
  let covered = 0
  let from = 0
  for (const chunk of chunks) {
    if (chunk.start < from || chunk.end <= chunk.start) return "chunks are in order and disjoint"
    if (chunk.end > total) return "a chunk lies inside the audio"
    if (chunk.end - chunk.start > HARD_LIMIT) return "no chunk is longer than 30 s"
    if (chunk.speech.length === 0) return "a chunk has speech"
    if (chunk.speech.some((span) => span.start < chunk.start || span.end > chunk.end)) return "speech of a chunk lies in it"
    const inside = speech.reduce((sum, { start, end }) => sum + Math.max(0, Math.min(end, chunk.end) - Math.max(start, chunk.start)), 0)
    if (inside !== lengthOf(chunk.speech)) return "a chunk names all of its speech"
    covered += inside
    from = chunk.end
  }
  // Chunks are disjoint, so a sum that is complete means that every sample is in exactly one.
  return covered === lengthOf(speech) ? undefined : "every speech sample is in a chunk"
}
