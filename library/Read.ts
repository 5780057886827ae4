/** Questions to the index. */
import type { DatabaseSync, SQLOutputValue } from "node:sqlite"
import type { Mode, SessionId } from "../contract/Session.ts"
import { type Hit, SessionSummary } from "../contract/SessionCommands.ts"
import { TIMELINE_RATE } from "../contract/Events.ts"
import * as Schema from "effect/Schema"
import { parseQuery, isEmpty } from "./Query.ts"

type Row = Readonly<Record<string, SQLOutputValue>>
type Value = string | number | null

export interface ListOptions {
  readonly limit: number
  readonly before?: SessionId
  readonly mode?: Mode
  readonly ticket?: string
  readonly state?: string
}

const seconds = (samples: SQLOutputValue | undefined): number => Math.round((Number(samples ?? 0) * 1000) / TIMELINE_RATE) / 1000
const text = (value: SQLOutputValue | undefined): string => (typeof value === "string" ? value : "")

const decodeSummary = Schema.decodeUnknownSync(SessionSummary)

const summaryOf = (row: Row): SessionSummary =>
  decodeSummary({
    session: row["session"],
    mode: row["mode"],
    title: row["title"],
    ...(row["ticket"] === null ? {} : { ticket: row["ticket"] }),
    startedAt: row["started"],
    durationSeconds: seconds(row["samples"]),
    state: row["state"],
    ...(row["coverage"] === null ? {} : { coverage: row["coverage"] }),
    language: row["language"],
    folder: row["folder"],
    bundle: row["bundle"],
    bytes: row["bytes"],
    pinned: row["pinned"] === 1,
    ...(row["error"] === null ? {} : { error: row["error"] })
  })

/** The newest first: a ULID begins with its time. */
export const listSessions = (db: DatabaseSync, { limit, before, mode, ticket, state }: ListOptions): ReadonlyArray<SessionSummary> => {
  const wanted: ReadonlyArray<readonly [string, Value | undefined]> = [
    ["session < ?", before],
    ["mode = ?", mode],
    ["ticket = ?", ticket],
    ["state = ?", state]
  ]
  const given = wanted.flatMap(([condition, value]) => (value === undefined ? [] : [{ condition, value }]))
  const where = given.length === 0 ? "" : `WHERE ${given.map(({ condition }) => condition).join(" AND ")}`
  return db
    .prepare(`SELECT * FROM sessions ${where} ORDER BY session DESC LIMIT ?`)
    .all(...given.map(({ value }) => value), limit)
    .map(summaryOf)
}

export const oneSession = (db: DatabaseSync, session: SessionId): SessionSummary | undefined => {
  const row = db.prepare("SELECT * FROM sessions WHERE session = ?").get(session)
  return row === undefined ? undefined : summaryOf(row)
}

export const countRows = (db: DatabaseSync) => {
  const row = db.prepare("SELECT (SELECT count(*) FROM sessions) AS sessions, (SELECT count(*) FROM segments) AS segments").get()
  return { sessions: Number(row?.["sessions"] ?? 0), segments: Number(row?.["segments"] ?? 0) }
}

/** Marks that stand around what matched; no text holds them. */
const OPEN = "\u0002"
const CLOSE = "\u0003"

/** `%` and `_` of the user are letters. */
const like = (value: string) => value.replaceAll(/[\\%_]/g, (mark) => `\\${mark}`)

const plain = (marked: string) => marked.replaceAll(OPEN, "").replaceAll(CLOSE, "")

/** What was matched up to `length` characters of the plain text, and whether a match goes on beyond. */
const matched = (marked: string, length: number) => {
  const within = new Set<string>()
  let [at, crosses, beyond] = [0, false, false]
  for (const [index, part] of marked.split(OPEN).entries()) {
    const [match = "", rest = ""] = index === 0 ? ["", part] : part.split(CLOSE)
    if (index > 0 && at < length) {
      within.add(match.toLowerCase())
      crosses ||= at + match.length > length
    } else if (index > 0) beyond ||= !within.has(match.toLowerCase())
    at += match.length + rest.length
  }
  return crosses || beyond
}

const hitOf = (row: Row): Hit => {
  const marked = text(row["marked"])
  const own = text(row["text"])
  // The text that follows belongs to the hit when something was found only there.
  const spans = matched(marked, own.length)
  const surplus = plain(marked).length - own.length
  let cut = marked
  if (!spans && surplus > 0) {
    // Marks in the surplus are not counted as text.
    const letters = marked.split("")
    for (let left = surplus; left > 0;) if (![OPEN, CLOSE].includes(letters.pop() ?? "")) left -= 1
    cut = letters.join("")
  }
  return {
    session: text(row["session"]),
    start: seconds(row["start"]),
    end: seconds(spans ? row["body_end"] : row["end"]),
    text: spans ? plain(marked) : own,
    snippet: cut.replaceAll(OPEN, "[").replaceAll(CLOSE, "]"),
    title: text(row["title"]),
    startedAt: text(row["started"]),
    ...(row["ticket"] === null ? {} : { ticket: text(row["ticket"]) }),
    ...(row["speaker"] === null ? {} : { speaker: text(row["speaker"]) }),
    score: Math.round(-Number(row["rank"] ?? 0) * 1e6) / 1e6
  }
}

/**
 * @param typed as a person typed it; see `Query.ts`
 * @returns the best hits first; nothing when there is nothing to look for
 */
export const searchSegments = (db: DatabaseSync, typed: string, limit: number): ReadonlyArray<Hit> => {
  const query = parseQuery(typed)
  if (isEmpty(query)) return []
  const conditions: Array<string> = []
  const values: Array<Value> = []
  const any = (column: string, wanted: ReadonlyArray<string>, pattern: (value: string) => string) => {
    if (wanted.length === 0) return
    conditions.push(`(${wanted.map(() => `${column} LIKE ? ESCAPE '\\'`).join(" OR ")})`)
    values.push(...wanted.map((value) => pattern(like(value))))
  }
  any("g.speaker", query.speakers, (value) => value)
  any("s.ticket", query.tickets, (value) => value)
  any("s.title", query.titles, (value) => `%${value}%`)
  if (query.after !== undefined) conditions.push("s.started >= ?")
  if (query.after !== undefined) values.push(query.after)
  if (query.before !== undefined) conditions.push("s.started < ?")
  if (query.before !== undefined) values.push(query.before)
  const columns = "g.*, s.title, s.ticket, s.started"
  const session = "JOIN sessions s ON s.session = g.session"
  const and = conditions.map((condition) => ` AND ${condition}`).join("")
  if (query.match === "") {
    return db
      .prepare(
        `SELECT ${columns}, g.text AS marked, 0 AS rank FROM segments g ${session} WHERE 1${and} ORDER BY g.session DESC, g.start LIMIT ?`
      )
      .all(...values, limit)
      .map(hitOf)
  }
  // A match that begins in the text that follows is a hit of the next row.
  return db
    .prepare(
      `SELECT * FROM (SELECT ${columns}, highlight(words, 0, '${OPEN}', '${CLOSE}') AS marked, bm25(words) AS rank
       FROM words JOIN segments g ON g.id = words.rowid ${session} WHERE words MATCH ?${and})
       WHERE instr(marked, '${OPEN}') BETWEEN 1 AND length(text) ORDER BY rank, session DESC, start LIMIT ?`
    )
    .all(query.match, ...values, limit)
    .map(hitOf)
}
