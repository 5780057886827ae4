/**
 * Pure functions over timed words: take out what is not speech, put times where the speech is, group into segments.
 *
 * A word keeps the space that precedes it until `segmentsOf`, because joining is what gives the text back in languages
 * that write without spaces.
 */
import { deflateSync } from "node:zlib"
import type { Segment, Word } from "../../contract/Events.ts"
import type { Span } from "./Engine.ts"

export const textOf = (words: ReadonlyArray<Word>): string =>
  words
    .map((word) => word.word)
    .join("")
    .replaceAll(/\s+/g, " ")
    .trim()

/**
 * Sounds that models write down: [BLANK_AUDIO], (upbeat music), *laughs*, notes. A round bracket with a digit in it is
 * something that was said, such as (555).
 */
const MARKER = /\[[^\]]*(?:\]|$)|<\|[^|]*\|>|\([^)\d]*\)|\*[^*\d]+\*|[♪♫♬♩]+[^♪♫♬♩]*[♪♫♬♩]+|[♪♫♬♩]+/gu

/** The words without markers, and without punctuation that stood alone. */
export const withoutMarkers = (words: ReadonlyArray<Word>): ReadonlyArray<Word> => {
  const text = words.map((word) => word.word).join("")
  const spans = [...text.matchAll(MARKER)].map((match) => ({ start: match.index, end: match.index + match[0].length }))
  let at = 0
  return words.flatMap((word) => {
    const from = at
    at += word.word.length
    const kept = [...word.word].reduce(
      ({ position, text }, letter) => ({
        position: position + letter.length,
        text: spans.some((span) => position >= span.start && position < span.end) ? text : text + letter
      }),
      { position: from, text: "" }
    ).text
    return /[\p{L}\p{N}]/u.test(kept) ? [{ ...word, word: kept }] : []
  })
}

/** Samples of slack around detected speech: 100 ms. */
const SLACK = 1_600

/**
 * Alignment lets the first word after a pause begin at the pause. Times are drawn in to the detected speech that a word
 * touches; a word that touches none keeps its time. Order and `start <= end` hold afterwards.
 */
export const snap = (words: ReadonlyArray<Word>, speech: ReadonlyArray<Span>): ReadonlyArray<Word> => {
  let floor = 0
  return words.map((word) => {
    const touched = speech.filter((span) => span.start < word.end && span.end > word.start)
    const first = touched[0]
    const last = touched.at(-1)
    const start = Math.max(floor, first === undefined ? word.start : Math.max(word.start, Math.min(first.start - SLACK, word.end)))
    const end = Math.max(start, last === undefined ? word.end : Math.min(word.end, last.end + SLACK))
    floor = end
    return { ...word, start, end }
  })
}

/** Bytes of the text by bytes deflated: 1-2 for speech, more the more it repeats. */
export const compressionRatio = (text: string): number => {
  const bytes = Buffer.from(text)
  return bytes.length === 0 ? 0 : Math.round((bytes.length / deflateSync(bytes).length) * 10_000) / 10_000
}

/** Share of the words that are a group of 1-20 words said over and over, as a decoder does when it is stuck. */
export const loopShare = (words: ReadonlyArray<string>): number => {
  const plain = words.map((word) => word.toLowerCase().replaceAll(/[^\p{L}\p{N}]/gu, ""))
  let most = 0
  for (let period = 1; period <= Math.min(20, Math.floor(plain.length / 3)); period++) {
    let run = 0
    for (let i = period; i < plain.length; i++) {
      run = plain[i] === plain[i - period] ? run + 1 : 0
      if (run + period >= Math.max(10, period * 3)) most = Math.max(most, run + period)
    }
  }
  return plain.length === 0 ? 0 : most / plain.length
}

/** Different words by words, 0..1. Counting breaks a sentence of "4-4-3-4" into its numbers. */
export const variety = (text: string): number => {
  const words = text.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? []
  return words.length === 0 ? 1 : new Set(words).size / words.length
}

/** Samples of silence that end a segment: 0.8 s. Longest segment that is not cut at a comma: 10 s. */
const PAUSE = 12_800
const LONG = 160_000
const ABBREVIATION = /^(?:mr|mrs|ms|dr|prof|st|vs|[a-z])\.$/i

const endsSegment = (word: Word, next: Word, segmentStart: number): boolean => {
  const text = word.word.trim()
  if (next.start - word.end >= PAUSE) return true
  if (/[.?!…]["'”’)]*$/u.test(text)) return !ABBREVIATION.test(text) && /^\s*["'“‘(]*[\p{Lu}\p{N}]/u.test(next.word)
  if (/[。？！]$/u.test(text)) return true
  return word.end - segmentStart >= LONG && /[,;:、，]$/u.test(text)
}

/** Sentences, cut also at pauses, and at commas where a sentence is long. */
export const segmentsOf = (
  words: ReadonlyArray<Word>,
  facts: Omit<Segment, "start" | "end" | "text" | "words">
): ReadonlyArray<Segment> => {
  const groups: Array<Array<Word>> = []
  words.forEach((word, i) => {
    const group = groups.at(-1)
    const previous = words[i - 1]
    if (group === undefined || (previous !== undefined && endsSegment(previous, word, group[0]?.start ?? 0))) groups.push([word])
    else group.push(word)
  })
  return groups.map((group) => ({
    ...facts,
    start: group[0]?.start ?? 0,
    end: group.at(-1)?.end ?? 0,
    text: textOf(group),
    words: group.map((word) => ({ ...word, word: word.word.trim() }))
  }))
}
