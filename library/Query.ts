/**
 * What a person types into a search box, as an FTS5 expression and filters. Everything that is not known syntax is a word;
 * no input is an error of SQLite.
 *
 * `printer "second floor" tech* -paper speaker:Ann ticket:T-42 title:desk after:2026-11-01 before:2026-12-01`
 */

export interface Query {
  /** For `MATCH`; empty when only filters were given. */
  readonly match: string
  readonly speakers: ReadonlyArray<string>
  readonly tickets: ReadonlyArray<string>
  readonly titles: ReadonlyArray<string>
  /** Dates, or dates with times, ISO 8601; `before` is exclusive. */
  readonly after?: string
  readonly before?: string
}

const TERM = /(-)?(?:(speaker|ticket|title|after|before):)?(?:"([^"]*)"?|(\S+))/giu
const DATE = /^\d{4}-\d{2}-\d{2}(T[\d:.]+Z?)?$/

/** A string of FTS5: quotes are doubled, and nothing inside has a meaning. */
const quoted = (text: string) => `"${text.replaceAll('"', '""')}"`

/** A word or phrase, with `*` at its end for "begins with"; nothing when it holds no letter or digit. */
const phrase = (text: string, isQuoted: boolean): ReadonlyArray<string> => {
  const isPrefix = !isQuoted && text.endsWith("*")
  const clean = text.replaceAll(/\p{Cc}/gu, " ").trim()
  return /[\p{L}\p{N}]/u.test(clean) ? [`${quoted(clean)}${isPrefix ? "*" : ""}`] : []
}

export const parseQuery = (text: string): Query => {
  const wanted: Array<string> = []
  const unwanted: Array<string> = []
  const filters = { speaker: new Array<string>(), ticket: new Array<string>(), title: new Array<string>() }
  const dates: { after?: string; before?: string } = {}
  for (const [whole, minus, field, inQuotes, plain] of text.matchAll(TERM)) {
    const value = (inQuotes ?? plain ?? "").trim()
    const name = field?.toLowerCase()
    if (name === "speaker" || name === "ticket" || name === "title") {
      if (value !== "") filters[name].push(value)
    } else if ((name === "after" || name === "before") && DATE.test(value)) dates[name] = value
    else if (field !== undefined) wanted.push(...phrase(whole, false))
    else (minus === undefined ? wanted : unwanted).push(...phrase(value, inQuotes !== undefined))
  }
  const positive = wanted.join(" AND ")
  return {
    match: positive === "" || unwanted.length === 0 ? positive : `(${positive}) NOT (${unwanted.join(" OR ")})`,
    speakers: filters.speaker,
    tickets: filters.ticket,
    titles: filters.title,
    ...dates
  }
}

/** Nothing to look for: no word and no filter. */
export const isEmpty = (query: Query): boolean =>
  query.match === "" &&
  query.speakers.length + query.tickets.length + query.titles.length === 0 &&
  query.after === undefined &&
  query.before === undefined
