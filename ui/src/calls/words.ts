/** The text of a segment cut at its words, so that each can be marked while it is heard, and everything between them stays. */
export interface Piece {
  readonly text: string
  /** Seconds; absent for what is between words. */
  readonly start?: number
  readonly end?: number
}

export const piecesOf = (
  text: string,
  words: ReadonlyArray<{ readonly word: string; readonly start: number; readonly end: number }>
): ReadonlyArray<Piece> => {
  const pieces: Array<Piece> = []
  let at = 0
  for (const { word, start, end } of words) {
    const plain = word.trim()
    const found = plain === "" ? -1 : text.indexOf(plain, at)
    if (found < 0) continue
    if (found > at) pieces.push({ text: text.slice(at, found) })
    pieces.push({ text: plain, start, end })
    at = found + plain.length
  }
  if (at < text.length) pieces.push({ text: text.slice(at) })
  return pieces
}
