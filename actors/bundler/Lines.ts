/**
 * How much text fits on a screen: subtitle lines, and where two pieces of text need a space between them. Two lines of
 * 42 characters is what broadcasters' subtitle guides agree on. Scripts without spaces (Chinese, Thai ...) are broken
 * between words that `Intl.Segmenter` finds.
 */

/** Characters of a line, and lines of a subtitle. */
export const LINE_LENGTH = 42
export const LINES = 2

/** What a subtitle may be. */
export interface Limits {
  readonly lineLength: number
  readonly lines: number
  /** Longest time it stands, samples. */
  readonly longest: number
}

export { joinTexts, separator, tidy } from "../../kernel/Text.ts"

interface Token {
  readonly space: string
  readonly text: string
}

const tokens = (text: string, length: number): ReadonlyArray<Token> =>
  text.split(" ").flatMap((word, index) => {
    const space = index === 0 ? "" : " "
    if (word.length <= length) return [{ space, text: word }]
    const parts = [...new Intl.Segmenter(undefined, { granularity: "word" }).segment(word)]
    return parts.map((part, at) => ({ space: at === 0 ? space : "", text: part.segment }))
  })

const greedy = (words: ReadonlyArray<Token>, width: number): ReadonlyArray<string> => {
  const lines: Array<string> = []
  let line = ""
  for (const { space, text } of words) {
    if (line !== "" && line.length + space.length + text.length > width) {
      lines.push(line)
      line = text
    } else line += line === "" ? text : space + text
  }
  return line === "" ? lines : [...lines, line]
}

/**
 * Breaks a text into lines of at most `length` characters (a longer word stands alone); two lines come out about equally long.
 *
 * @example
 * wrapLines("It was the best of times, it was the worst of times")
 * // ["It was the best of times,", "it was the worst of times"]
 */
export const wrapLines = (text: string, length = LINE_LENGTH): ReadonlyArray<string> => {
  if (text.length <= length) return text === "" ? [] : [text]
  const words = tokens(text, length)
  const lines = greedy(words, length)
  if (lines.length !== 2) return lines
  for (let width = Math.ceil(text.length / 2); width < length; width++) {
    const balanced = greedy(words, width)
    if (balanced.length === 2) return balanced
  }
  return lines
}
