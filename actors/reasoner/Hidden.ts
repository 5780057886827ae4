/**
 * What a model writes but nobody should hear: its reasoning (`<think> ... </think>`) and fenced code. Works on a stream,
 * so a marker may come in pieces: text that could be the beginning of one is held back until the next piece decides.
 */

const FENCES: Readonly<Record<string, string>> = { "<think>": "</think>", "```": "```" }
const OPENING = Object.keys(FENCES)

export interface Hidden {
  /** Text that waits for more. */
  readonly held: string
  /** The marker that ends what is hidden now; absent: text is visible. */
  readonly until?: string
}

export const visible: Hidden = { held: "" }

/** Length of the longest end of `text` that is a proper beginning of `marker`. */
const overlap = (text: string, marker: string): number => {
  for (let length = Math.min(marker.length - 1, text.length); length > 0; length--)
    if (marker.startsWith(text.slice(-length))) return length
  return 0
}

const firstOpening = (text: string) =>
  OPENING.map((marker) => ({ marker, at: text.indexOf(marker) }))
    .filter(({ at }) => at >= 0)
    .toSorted((a, b) => a.at - b.at)[0]

/** Takes a piece of text; returns the new state and what of it is to be heard. */
export const reveal = (state: Hidden, piece: string): readonly [Hidden, string] => {
  let text = state.held + piece
  let until = state.until
  let heard = ""
  for (;;) {
    if (until !== undefined) {
      const end = text.indexOf(until)
      if (end < 0) return [{ held: text.slice(text.length - overlap(text, until)), until }, heard]
      text = text.slice(end + until.length)
      until = undefined
    }
    const opening = firstOpening(text)
    if (opening === undefined) {
      const keep = Math.max(...OPENING.map((marker) => overlap(text, marker)))
      return [{ held: text.slice(text.length - keep) }, heard + text.slice(0, text.length - keep)]
    }
    heard += text.slice(0, opening.at)
    text = text.slice(opening.at + opening.marker.length)
    until = FENCES[opening.marker]
  }
}

/** What was held back when the text ended. */
export const rest = (state: Hidden): string => (state.until === undefined ? state.held : "")
