/**
 * Cuts what an engine calls a segment (often a whole chunk of 30 s) into pieces that can be read as subtitles: at ends
 * of sentences and at pauses, at most two lines of 42 characters and 7 s, from the times of the words.
 *
 * The text of the segment wins over its words: spacing and punctuation are taken from it. Words that do not occur in
 * it fall back to being joined. Without word times the span is shared out by length of text.
 */
import { TIMELINE_RATE, type Segment, type Word } from "../../contract/Events.ts"
import { type Limits, LINE_LENGTH, LINES, separator, tidy, wrapLines } from "./Lines.ts"

/** Longest time one subtitle stands, samples. */
export const LONGEST = 7 * TIMELINE_RATE
export const LIMITS: Limits = { lineLength: LINE_LENGTH, lines: LINES, longest: LONGEST }
/** A silence that always ends a subtitle, samples. */
const PAUSE = 1.5 * TIMELINE_RATE
/** A sentence shorter than this many characters waits for the next ("Yes. I know."). */
const SHORT = 16
/** What a good place to break is worth, in characters of imbalance. */
const WORTH = { sentence: 40, clause: 15, breath: 10 }
const BREATH = 0.3 * TIMELINE_RATE

/** A word with the punctuation around it; `space` is what stands before it. */
interface Piece {
  readonly space: string
  readonly text: string
  readonly start: number
  readonly end: number
  readonly word?: Word
}

const ABBREVIATION = /^["'(]*(?:mr|mrs|ms|dr|st|prof|vs|etc|\p{L}|(?:\p{L}\.)+\p{L})\.$/iu
const SENTENCE_END = /[.!?…。！？]["'”’)\]]*$/u
const CLAUSE_END = /[,;:—–、，；：]["'”’)\]]*$/u
const endsSentence = (piece: Piece): boolean => SENTENCE_END.test(piece.text) && !ABBREVIATION.test(piece.text)

const textOf = (pieces: ReadonlyArray<Piece>): string =>
  pieces.map((piece, index) => (index === 0 ? piece.text : piece.space + piece.text)).join("")

const fits = (pieces: ReadonlyArray<Piece>, limits: Limits): boolean => {
  const first = pieces[0]
  const last = pieces.at(-1)
  if (first === undefined || last === undefined) return true
  return last.end - first.start <= limits.longest && wrapLines(textOf(pieces), limits.lineLength).length <= limits.lines
}

/** Words forced into `from`..`to`, in order and without overlap: engines give times past the chunk or backwards. */
const place = (words: ReadonlyArray<Word>, from: number, to: number): ReadonlyArray<Word> => {
  let cursor = from
  return words.flatMap((word) => {
    if (word.word.trim() === "") return []
    const start = Math.min(Math.max(word.start, cursor), to)
    const end = Math.min(Math.max(word.end, start), to)
    cursor = end
    return [{ ...word, word: word.word.trim(), start, end }]
  })
}

/** Pieces of `text`, one a word; `undefined` when the words are not those of the text. */
const align = (text: string, words: ReadonlyArray<Word>): ReadonlyArray<Piece> | undefined => {
  const starts: Array<number> = []
  let cursor = 0
  for (const word of words) {
    const at = text.indexOf(word.word, cursor)
    // Only punctuation may lie between two words.
    if (at < 0 || /[\p{L}\p{N}]/u.test(text.slice(cursor, at))) return undefined
    // An opening quote or bracket belongs to the word after it.
    const gap = text.slice(cursor, at)
    starts.push(starts.length === 0 ? 0 : gap.includes(" ") ? cursor + gap.lastIndexOf(" ") + 1 : at)
    cursor = at + word.word.length
  }
  if (/[\p{L}\p{N}]/u.test(text.slice(cursor))) return undefined
  return words.map((word, index) => {
    const slice = text.slice(starts[index], starts[index + 1] ?? text.length)
    const before = text[(starts[index] ?? 0) - 1]
    return { space: before === " " ? " " : "", text: slice.trimEnd(), start: word.start, end: word.end, word }
  })
}

const joinWords = (raw: ReadonlyArray<Word>, words: ReadonlyArray<Word>): ReadonlyArray<Piece> => {
  // Whisper marks a new word by a space before it; engines that strip it from all words leave only the script to go by.
  const marked = raw.some((word) => /^\s/.test(word.word))
  const spaced = raw.filter((word) => word.word.trim() !== "").map((word) => /^\s/.test(word.word))
  return words.map((word, index) => ({
    space: marked ? (spaced[index] === true ? " " : "") : separator(words[index - 1]?.word ?? "", word.word),
    text: word.word,
    start: word.start,
    end: word.end,
    word
  }))
}

/** Pieces of a text without word times: the span in proportion to the characters. */
const share = (text: string, from: number, to: number): ReadonlyArray<Piece> => {
  const at = (index: number) => from + Math.round(((to - from) * index) / text.length)
  return [...text.matchAll(/\S+/g)].map((match) => ({
    space: match.index === 0 ? "" : " ",
    text: match[0],
    start: at(match.index),
    end: at(match.index + match[0].length)
  }))
}

/** A run of pieces that is too long, broken where it hurts least into parts of about equal length. */
const breakUp = (pieces: ReadonlyArray<Piece>, limits: Limits): ReadonlyArray<ReadonlyArray<Piece>> => {
  const first = pieces[0]
  const last = pieces.at(-1)
  if (first === undefined || last === undefined || pieces.length === 1 || fits(pieces, limits)) return [pieces]
  const length = textOf(pieces).length
  const parts = Math.max(2, Math.ceil(length / (limits.lineLength * limits.lines)), Math.ceil((last.end - first.start) / limits.longest))
  let best = 1
  let bestCost = Infinity
  for (let index = 1; index < pieces.length; index++) {
    const left = pieces.slice(0, index)
    const [before, after] = [pieces[index - 1], pieces[index]]
    if (before === undefined || after === undefined || !fits(left, limits)) break
    const bonus =
      (endsSentence(before) ? WORTH.sentence : CLAUSE_END.test(before.text) ? WORTH.clause : 0) +
      (after.start - before.end >= BREATH ? WORTH.breath : 0)
    const cost = Math.abs(textOf(left).length - length / parts) - bonus
    if (cost < bestCost) [best, bestCost] = [index, cost]
  }
  return [pieces.slice(0, best), ...breakUp(pieces.slice(best), limits)]
}

const sentences = (pieces: ReadonlyArray<Piece>): ReadonlyArray<ReadonlyArray<Piece>> => {
  const groups: Array<Array<Piece>> = []
  let group: Array<Piece> = []
  pieces.forEach((piece, index) => {
    group.push(piece)
    const next = pieces[index + 1]
    const pause = next !== undefined && next.start - piece.end >= PAUSE
    if (next === undefined || pause || (endsSentence(piece) && textOf(group).length >= SHORT)) {
      groups.push(group)
      group = []
    }
  })
  return groups
}

/**
 * Subtitle-sized segments of one segment.
 *
 * @param segment As the engine gave it; times in samples of the absolute timeline.
 * @param from Earliest sample that may be used (end of what came before).
 * @param to End of the chunk, exclusive.
 * @returns In order, none empty, none overlapping; none at all for blank text.
 */
export const cut = (segment: Segment, from: number, to: number, limits: Limits = LIMITS): ReadonlyArray<Segment> => {
  const text = tidy(segment.text)
  const start = Math.min(Math.max(segment.start, from), to)
  const end = Math.min(Math.max(segment.end, start), to)
  const words = place(segment.words, from, to)
  const pieces = words.length > 0 ? (align(text, words) ?? joinWords(segment.words, words)) : text === "" ? [] : share(text, start, end)
  return sentences(pieces)
    .flatMap((group) => breakUp(group, limits))
    .flatMap((group) => {
      const [first, last] = [group[0], group.at(-1)]
      const said = tidy(textOf(group))
      if (first === undefined || last === undefined || said === "") return []
      const stop = Math.min(last.end, first.start + limits.longest)
      const heard = group.flatMap((piece) => (piece.word === undefined ? [] : [{ ...piece.word, end: Math.min(piece.word.end, stop) }]))
      return [{ ...segment, start: first.start, end: stop, text: said, words: heard }]
    })
}
