/**
 * Longer than an engine's window of 30 s: one unit cut in its silences, decoded piece by piece, put together again.
 * Chunks of calls never are that long; a turn of the assistant is always one unit, however long somebody talks.
 */
import * as Effect from "effect/Effect"
import type { Failure } from "../../kernel/Failure.ts"
import { type Engine, type EngineRequest, type EngineResult, LONGEST, type Span } from "./Engine.ts"

/** Samples: a cut is looked for in the last 10 s of a window that is 2 s shorter than what the engine takes. */
const MARGIN = 2 * 16_000
const SEARCH = 10 * 16_000

/** `start`..`end` in pieces of at most `longest` samples (30 s), cut in the middle of the longest silence near the end of each. */
export const cut = (start: number, end: number, speech: ReadonlyArray<Span>, longest = LONGEST): ReadonlyArray<Span> => {
  const pieces: Array<Span> = []
  let from = start
  while (end - from > longest) {
    const latest = from + longest - MARGIN
    const edges = [...speech.filter((span) => span.end > from), { start: end, end }]
    const silences = edges.slice(1).flatMap((next, i) => {
      const before = edges[i]
      if (before === undefined) return []
      const middle = Math.floor((before.end + next.start) / 2)
      return middle > latest - SEARCH && middle <= latest ? [{ at: middle, length: next.start - before.end }] : []
    })
    const at = silences.reduce((best, silence) => (silence.length > best.length ? silence : best), { at: latest, length: 0 }).at
    pieces.push({ start: from, end: at })
    from = at
  }
  return [...pieces, { start: from, end }]
}

/** The part of a request that lies in `span`. */
const part = (request: EngineRequest, span: Span): EngineRequest => ({
  ...request,
  pcm: request.pcm.subarray((span.start - request.start) * 2, (span.end - request.start) * 2),
  start: span.start,
  speech: request.speech
    .filter((each) => each.start < span.end && each.end > span.start)
    .map((each) => ({ start: Math.max(each.start, span.start), end: Math.min(each.end, span.end) }))
})

/** One result of several: words in order, probabilities weighted by words, language of the longest. */
const join = (results: ReadonlyArray<EngineResult>, first: EngineResult): EngineResult => {
  const weight = (result: EngineResult) => result.words.length + 1
  const total = results.reduce((sum, result) => sum + weight(result), 0)
  const longest = results.reduce((best, result) => (weight(result) > weight(best) ? result : best), first)
  return {
    ...longest,
    words: results.flatMap((result) => result.words),
    avgLogprob: results.reduce((sum, result) => sum + result.avgLogprob * weight(result), 0) / total,
    noSpeechProbability: Math.min(...results.map((result) => result.noSpeechProbability)),
    computeMs: results.reduce((sum, result) => sum + result.computeMs, 0)
  }
}

/** `engine.transcribe` for a request of any length. */
export const transcribe = (engine: Engine, request: EngineRequest): Effect.Effect<EngineResult, Failure> =>
  Effect.gen(function* () {
    const pieces = cut(request.start, request.start + request.pcm.length / 2, request.speech, engine.longest)
    const results = yield* Effect.forEach(pieces, (span) => engine.transcribe(part(request, span)))
    const [first] = results
    return first === undefined ? yield* Effect.die("a unit without pieces") : join(results, first)
  })
