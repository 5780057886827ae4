/**
 * Two texts compared word by word: what stayed, what was added, what was removed. Used wherever a machine wrote the same
 * thing twice (a replay, another model, a shadow). White space does not count; case and punctuation do, as they are part
 * of a transcript. The library gives up on nothing: an hour of speech against another takes well under a second.
 */
import { diffArrays } from "diff"

export interface Change {
  readonly kind: "same" | "added" | "removed"
  /** Words joined by single spaces. */
  readonly text: string
}

/** Words by what became of them. */
export interface WordCounts {
  readonly same: number
  readonly added: number
  readonly removed: number
}

const wordsOf = (text: string): Array<string> => text.split(/\s+/u).filter((word) => word !== "")

/**
 * @example
 * wordDiff("the old printer", "the new printer")
 * // [{ kind: "same", text: "the" }, { kind: "removed", text: "old" }, { kind: "added", text: "new" }, { kind: "same", text: "printer" }]
 */
export const wordDiff = (before: string, after: string): ReadonlyArray<Change> =>
  diffArrays(wordsOf(before), wordsOf(after)).map(({ added, removed, value }) => ({
    kind: added ? "added" : removed ? "removed" : "same",
    text: value.join(" ")
  }))

export const countChanges = (changes: ReadonlyArray<Change>): WordCounts => {
  const words = (kind: Change["kind"]) =>
    changes.filter((change) => change.kind === kind).reduce((sum, { text }) => sum + wordsOf(text).length, 0)
  return { same: words("same"), added: words("added"), removed: words("removed") }
}

/** Words of unchanged text that stay visible beside a change. */
const CONTEXT = 6

const shortened = (text: string, first: boolean, last: boolean): string => {
  const words = wordsOf(text)
  const head = first ? 0 : CONTEXT
  const tail = last ? 0 : CONTEXT
  if (words.length <= head + tail + 1) return text
  return [...words.slice(0, head), "...", ...(tail === 0 ? [] : words.slice(-tail))].join(" ")
}

/** For a person: `[-removed-]` and `{+added+}`, red and green with `colour`; long unchanged parts are shortened. */
export const renderChanges = (changes: ReadonlyArray<Change>, colour: boolean): string =>
  changes
    .map(({ kind, text }, index) => {
      if (kind === "same") return shortened(text, index === 0, index === changes.length - 1)
      if (kind === "added") return colour ? `\u001b[32m${text}\u001b[0m` : `{+${text}+}`
      return colour ? `\u001b[31m${text}\u001b[0m` : `[-${text}-]`
    })
    .join(" ")
