/**
 * Cuts text into sentences as soon as each is complete, so that the voice can start while the model still writes.
 *
 * Where a text is cut depends on the text alone, not on how it was split into tokens. Gotcha: a sentence is complete only
 * when the next character is known ("3." may become "3.14"), so the last one needs `final`.
 */

/** A first sentence without an end after so many characters is cut at a comma: first sound matters most there. */
const FIRST_LIMIT = 80
/** Before that it is cut where a new clause begins, once it is long enough to be worth a breath. */
const PHRASE_MINIMUM = 20
const PHRASE_WORDS = 4
/** Words before which a speaker may breathe. */
const JOINTS = new Set("and but or so because although since which who when while where if".split(" "))
/** Any other sentence; longer ones would make the listener wait for the voice. */
const LIMIT = 240
/** A text without any punctuation is cut at a space. */
const HARD_LIMIT = 400
/** The shortest clause worth a pause. */
const CLAUSE_MINIMUM = 24

const STOP = /\n+|[.!?…。！？｡]+["'”’»)\]」』）】*_`]*/gu
const CLAUSE = /[,;:，；：、—–]["'”’)]?(?:\s|(?<=[，；：、]))/gu

/** Never the end of a sentence. */
const TITLES = new Set([
  "dr",
  "mr",
  "mrs",
  "ms",
  "prof",
  "st",
  "rev",
  "gen",
  "sen",
  "rep",
  "capt",
  "lt",
  "col",
  "sgt",
  "vs",
  "e.g",
  "i.e",
  "cf",
  "fig",
  "approx"
])
/** The end of one only before a capital. */
const SUFFIXES = new Set(["etc", "inc", "ltd", "co", "corp", "jr", "sr", "dept", "est", "a.m", "p.m"])
/** Words that begin a sentence after an abbreviation with dots inside ("... in the U.S. The ..."). */
const STARTERS = new Set(
  "a an and are as at but by did do does for from he her his how however if in is it its many most no not of on one or our she so some that the their there these they this those to was we what when where which while who why with yes you your".split(
    " "
  )
)

export interface Cut {
  readonly sentences: ReadonlyArray<string>
  /** What is not a sentence yet. */
  readonly rest: string
}

type Verdict = "end" | "inside" | "unknown"

const abbreviation = (word: string, after: string, final: boolean): Verdict | undefined => {
  const name = word.replace(/^[^\p{L}\p{N}]+/u, "").toLowerCase()
  if (TITLES.has(name) || /^(?!i$)\p{L}$/u.test(name)) return "inside"
  if (SUFFIXES.has(name)) return /^[^\p{Ll}]/u.test(after) ? "end" : "inside"
  if (!/^(?:\p{L}\.)+\p{L}$/u.test(name)) return undefined
  const next = /^["'“‘(]*([\p{L}']+)(.?)/u.exec(after)
  if (next === null) return "end"
  if (next[2] === "" && !final) return "unknown"
  return /^\p{Lu}/u.test(next[1] ?? "") && STARTERS.has((next[1] ?? "").toLowerCase()) ? "end" : "inside"
}

/** Does the mark at `from`..`to` end a sentence? */
const judge = (text: string, from: number, to: number, final: boolean): Verdict => {
  const mark = text.slice(from, to)
  if (mark.startsWith("\n")) return "end"
  if (to === text.length) return final ? "end" : "unknown"
  if (/[。！？｡]/u.test(mark)) return "end"
  if (!/\s/u.test(text[to] ?? "")) return "inside"
  const after = text.slice(to).trimStart()
  if (after === "") return final || text.slice(to).includes("\n") ? "end" : "unknown"
  const lower = /^\p{Ll}/u.test(after)
  if (/^(\.{2,}|…)/u.test(mark) || /["'”’»)\]」』）】]/u.test(mark)) return lower ? "inside" : "end"
  if (mark[0] !== ".") return "end"
  const before = text.slice(0, from)
  if (/^\s*\d{1,2}$/u.test(before)) return "inside"
  return abbreviation(/(\S*)$/u.exec(before)?.[1] ?? "", after, final) ?? "end"
}

/** Where a sentence that is too long is cut, if anywhere. */
const clause = (text: string, limit: number): number | undefined => {
  let last: number | undefined
  for (const match of text.matchAll(CLAUSE)) {
    const at = match.index + match[0].length
    if (at < CLAUSE_MINIMUM) continue
    if (last !== undefined && at > limit) break
    last = at
    if (at > limit) break
  }
  if (last !== undefined) return last
  const space = text.length > HARD_LIMIT ? text.lastIndexOf(" ", HARD_LIMIT) : -1
  return space > 0 ? space + 1 : undefined
}

/** Where the first clause ends: before a joint or after its first comma (more of them are a list). 0: not yet. */
const phraseEnd = (text: string): number => {
  let words = 0
  let list = false
  for (const match of text.matchAll(/\S+(?=\s)/gu)) {
    const [word] = match
    const before = text.slice(0, match.index).trim()
    const breathes = words >= PHRASE_WORDS && before.length >= PHRASE_MINIMUM
    if (breathes && JOINTS.has(word.toLowerCase()) && /[\p{L}\p{N}]$/u.test(before)) return match.index
    words += 1
    const end = match.index + word.length
    if (!/[,;:]$/u.test(word)) continue
    if (!list && words >= PHRASE_WORDS && end >= PHRASE_MINIMUM) return end
    list = true
  }
  return 0
}

/** End of the first sentence of `text`, 0 when it is not complete. */
const firstEnd = (text: string, limit: number, final: boolean): number => {
  let end = 0
  for (const match of text.matchAll(STOP)) {
    const verdict = judge(text, match.index, match.index + match[0].length, final)
    if (verdict === "unknown") break
    if (verdict === "end" && text.slice(0, match.index).trim() !== "") {
      end = match.index + match[0].length
      break
    }
  }
  if (end > 0 && end <= limit) return end
  if (end === 0 && (final || text.length <= limit)) return final ? text.length : 0
  const cut = clause(text.slice(0, end === 0 ? text.length : end), limit)
  return cut ?? end
}

/**
 * @param text what has not been cut yet
 * @param options.first nothing of this answer was cut before
 * @param options.final nothing follows
 */
export const cut = (text: string, options: { readonly first: boolean; readonly final: boolean }): Cut => {
  const sentences: Array<string> = []
  let left = text
  while (left.trim() !== "") {
    const first = options.first && sentences.length === 0
    const whole = firstEnd(left, first ? FIRST_LIMIT : LIMIT, options.final)
    const phrase = first ? phraseEnd(left) : 0
    const end = phrase > 0 && (whole === 0 || phrase < whole) ? phrase : whole
    if (end === 0) break
    sentences.push(left.slice(0, end).trim())
    left = left.slice(end)
  }
  return { sentences, rest: options.final ? "" : left }
}

/** Cuts where the writer paused: everything, but for a last word that may be half written. */
export const cutAtPause = (text: string): Cut => {
  const whole = /[\s\p{P}]$/u.test(text) ? text.length : text.search(/\S*$/u)
  const head = text.slice(0, whole)
  return head.trim().length >= CLAUSE_MINIMUM || /[.!?…。！？｡]["'”’»)\]」』）】]*\s*$/u.test(head)
    ? { sentences: [head.trim()], rest: text.slice(whole) }
    : { sentences: [], rest: text }
}
