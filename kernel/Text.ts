/**
 * Pieces of text put together as they would be written: a space between them, or nothing in scripts that have none
 * (Chinese, Japanese, Thai ...).
 */

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
