/**
 * How much text fits on a screen: subtitle lines, and where two pieces of text need a space between them. Two lines of
 * 42 characters is what broadcasters' subtitle guides agree on. Scripts without spaces (Chinese, Thai ...) are broken
 * between words that `Intl.Segmenter` finds.
 */

/** Characters of a line, and lines of a subtitle. */
export const LINE_LENGTH = 42
export const LINES = 2

const SPACELESS =
  "[\\p{sc=Han}\\p{sc=Hiragana}\\p{sc=Katakana}\\p{sc=Thai}\\p{sc=Lao}\\p{sc=Khmer}\\p{sc=Myanmar}\\u3000-\\u303f\\uff00-\\uffef]"
const endsSpaceless = new RegExp(`${SPACELESS}$`, "u")
const startsSpaceless = new RegExp(`^${SPACELESS}`, "u")

/** Runs of white space become one space. */
export const tidy = (text: string): string => text.replace(/\s+/g, " ").trim()

/** What stands between two texts: a space, or nothing in scripts that have none. */
export const separator = (left: string, right: string): string =>
  left === "" || right === "" || endsSpaceless.test(left) || startsSpaceless.test(right) ? "" : " "

/** Joins tidy texts as they would be written. */
export const joinTexts = (texts: Iterable<string>): string => {
  let joined = ""
  for (const text of texts) {
    // Only the tail matters, and a whole call would be scanned again and again otherwise.
    joined += separator(joined.slice(-2), text) + text
  }
  return joined
}

interface Token {
  readonly space: string
  readonly text: string
}

const tokens = (text: string): ReadonlyArray<Token> =>
  text.split(" ").flatMap((word, index) => {
    const space = index === 0 ? "" : " "
    if (word.length <= LINE_LENGTH) return [{ space, text: word }]
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
 * Breaks a text into lines of at most 42 characters (a longer word stands alone); two lines come out about equally long.
 *
 * @example
 * wrapLines("It was the best of times, it was the worst of times")
 * // ["It was the best of times,", "it was the worst of times"]
 */
export const wrapLines = (text: string): ReadonlyArray<string> => {
  if (text.length <= LINE_LENGTH) return text === "" ? [] : [text]
  const words = tokens(text)
  const lines = greedy(words, LINE_LENGTH)
  if (lines.length !== 2) return lines
  for (let width = Math.ceil(text.length / 2); width < LINE_LENGTH; width++) {
    const balanced = greedy(words, width)
    if (balanced.length === 2) return balanced
  }
  return lines
}
