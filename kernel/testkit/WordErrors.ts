/**
 * Word error rate: (substitutions + deletions + insertions) / words of the reference, after both texts were normalised.
 * The normaliser follows the idea of Whisper's English one (lower case, no punctuation, contractions and number words
 * in one spelling) as far as our fixtures need it; a figure made with it names it.
 */

const CONTRACTIONS: ReadonlyArray<readonly [RegExp, string]> = [
  [/\bcan't\b/g, "can not"],
  [/\bcannot\b/g, "can not"],
  [/\bwon't\b/g, "will not"],
  [/n't\b/g, " not"],
  [/'re\b/g, " are"],
  [/'ll\b/g, " will"],
  [/'ve\b/g, " have"],
  [/'m\b/g, " am"],
  [/\b(it|that|what|there|he|she)'s\b/g, "$1 is"]
]

const NUMBERS = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"]

/** The words of a text in one spelling. */
export const normalised = (text: string): ReadonlyArray<string> => {
  const plain = CONTRACTIONS.reduce((rest, [from, to]) => rest.replaceAll(from, to), text.toLowerCase().replaceAll("’", "'"))
  return plain
    .replaceAll(/[^\p{L}\p{N}']+/gu, " ")
    .trim()
    .split(/\s+/)
    .filter((word) => word !== "" && word !== "'")
    .map((word) => NUMBERS[Number(word)] ?? word)
}

/** Levenshtein distance over words, in one row of memory. */
const distance = (a: ReadonlyArray<string>, b: ReadonlyArray<string>): number => {
  let row = b.map((_, index) => index + 1)
  for (const [i, left] of a.entries()) {
    let diagonal = i
    let before = i + 1
    row = row.map((above, j) => {
      const cost = Math.min(above + 1, before + 1, diagonal + (left === b[j] ? 0 : 1))
      diagonal = above
      before = cost
      return cost
    })
  }
  return row.at(-1) ?? a.length
}

/** 0 is perfect; may exceed 1. */
export const wordErrorRate = (reference: string, hypothesis: string): number => {
  const words = normalised(reference)
  return words.length === 0 ? (normalised(hypothesis).length === 0 ? 0 : 1) : distance(words, normalised(hypothesis)) / words.length
}
