/**
 * Where keywords are said. Case and accents do not matter, a keyword matches whole words, and `tech*` what begins so. A
 * phrase is found across the cut between two segments of a chunk. Pure.
 */
import type { Segment } from "../../contract/Events.ts"
import { joinTexts, tidy } from "../../kernel/Text.ts"

export interface Spotted {
  readonly keyword: string
  /** Samples. */
  readonly start: number
  readonly end: number
  /** The segment it begins in. */
  readonly text: string
}

/** Text without case and accents, with its words apart. */
const plain = (text: string): string =>
  text
    .normalize("NFKD")
    .replaceAll(/\p{M}/gu, "")
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N}]+/gu, " ")
    .trim()

const escape = (text: string) => text.replaceAll(/[.*+?^${}()|[\]\\]/g, "\\$&")

/** Scripts without spaces have no word ends to look for. */
const SPACELESS = /[\p{sc=Han}\p{sc=Hiragana}\p{sc=Katakana}\p{sc=Thai}]/u

const patternOf = (keyword: string): RegExp | undefined => {
  const word = plain(keyword)
  if (word === "") return undefined
  if (SPACELESS.test(word)) return new RegExp(escape(word), "gu")
  return new RegExp(`(?<![\\p{L}\\p{N}])${escape(word)}${keyword.trim().endsWith("*") ? "" : "(?![\\p{L}\\p{N}])"}`, "gu")
}

/** Every place a keyword is said in a chunk, in order of time, then of the list. */
export const spot = (segments: ReadonlyArray<Segment>, keywords: ReadonlyArray<string>): ReadonlyArray<Spotted> => {
  const patterns = keywords.flatMap((keyword) => {
    const pattern = patternOf(keyword)
    return pattern === undefined ? [] : [{ keyword: keyword.trim(), pattern }]
  })
  if (patterns.length === 0) return []
  return segments.flatMap((segment, index) => {
    const own = plain(segment.text)
    const next = plain(segments[index + 1]?.text ?? "")
    const both = joinTexts([own, next])
    return patterns.flatMap(({ keyword, pattern }) =>
      // A match that begins in the next segment is found there.
      [...both.matchAll(pattern)]
        .filter(({ index: at }) => at < own.length)
        .map(() => ({ keyword, start: segment.start, end: segment.end, text: tidy(segment.text) }))
    )
  })
}
