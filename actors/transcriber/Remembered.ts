/**
 * What was heard in audio that comes again with the same parameters: a file that is imported twice, a call that is
 * transcribed again. In the memory of the process, for `host.transcriptMinutes`; off by default, because it keeps words
 * for that long, also those of a call that is deleted meanwhile.
 */
import type { Word } from "../../contract/Events.ts"
import { createHash } from "node:crypto"
import type { EngineRequest } from "./Engine.ts"
import type { Served } from "./Fallback.ts"

/** Results kept; the one that was used longest ago goes first. */
const MOST = 100

const moved = (words: ReadonlyArray<Word>, by: number): ReadonlyArray<Word> =>
  by === 0 ? words : words.map((word) => ({ ...word, start: word.start + by, end: word.end + by }))

/** Same audio, same parameters; where on the timeline it lies does not matter. */
const keyOf = ({ pcm, start, speech, options }: EngineRequest): string =>
  createHash("sha256")
    .update(JSON.stringify([options, speech.map((span) => [span.start - start, span.end - start])]))
    .update(pcm)
    .digest("hex")

interface Entry {
  readonly served: Served
  readonly start: number
  readonly at: number
}

export interface Remembered {
  /** @param now epoch milliseconds @param maxAgeMs of what counts; 0: nothing does */
  readonly find: (request: EngineRequest, now: number, maxAgeMs: number) => Served | undefined
  readonly keep: (request: EngineRequest, served: Served, now: number, maxAgeMs: number) => void
}

export const makeRemembered = (): Remembered => {
  const entries = new Map<string, Entry>()
  return {
    find: (request, now, maxAgeMs) => {
      if (maxAgeMs <= 0) {
        entries.clear()
        return undefined
      }
      const key = keyOf(request)
      const entry = entries.get(key)
      if (entry === undefined) return undefined
      entries.delete(key)
      if (now - entry.at > maxAgeMs) return undefined
      entries.set(key, entry)
      const { result } = entry.served
      // Nothing was computed for it.
      return { ...entry.served, result: { ...result, words: moved(result.words, request.start - entry.start), computeMs: 0, threads: 0 } }
    },
    keep: (request, served, now, maxAgeMs) => {
      if (maxAgeMs <= 0) return
      for (const [key, { at }] of entries) if (now - at > maxAgeMs) entries.delete(key)
      entries.set(keyOf(request), { served, start: request.start, at: now })
      const [oldest] = entries.keys()
      if (entries.size > MOST && oldest !== undefined) entries.delete(oldest)
    }
  }
}
