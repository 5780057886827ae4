/**
 * Which finished calls the rules of the settings no longer keep: too old, too many, or too large together. The oldest go
 * first; pinned ones stay and count for nothing. Pure, so that a dry run and the real one cannot differ.
 */
import type { SessionSummary } from "../contract/SessionCommands.ts"

export interface RetentionRules {
  /** 0: no rule. */
  readonly days: number
  readonly calls: number
  readonly gigabytes: number
}

export interface Expired {
  readonly session: SessionSummary
  readonly rule: "age" | "count" | "size"
}

const DAY_MS = 24 * 3600 * 1000
const FINISHED: ReadonlyArray<string> = ["completed", "cancelled", "failed"]

/** When a session began, from its ULID where it was never opened: epoch milliseconds. */
const beganAt = ({ startedAt, session }: SessionSummary): number => {
  const parsed = Date.parse(startedAt)
  if (!Number.isNaN(parsed)) return parsed
  return [...session.slice(0, 10)].reduce((time, letter) => time * 32 + "0123456789ABCDEFGHJKMNPQRSTVWXYZ".indexOf(letter), 0)
}

export const hasRules = ({ days, calls, gigabytes }: RetentionRules): boolean => days > 0 || calls > 0 || gigabytes > 0

/** @param now epoch milliseconds */
export const expired = (sessions: ReadonlyArray<SessionSummary>, rules: RetentionRules, now: number): ReadonlyArray<Expired> => {
  const newestFirst = sessions
    .filter(({ mode, state, pinned }) => mode === "call" && FINISHED.includes(state) && !pinned)
    .toSorted((a, b) => beganAt(b) - beganAt(a) || (a.session < b.session ? 1 : -1))
  let bytes = 0
  let kept = 0
  return newestFirst
    .flatMap((session): ReadonlyArray<Expired> => {
      if (rules.days > 0 && now - beganAt(session) > rules.days * DAY_MS) return [{ session, rule: "age" }]
      if (rules.calls > 0 && kept >= rules.calls) return [{ session, rule: "count" }]
      if (rules.gigabytes > 0 && bytes + session.bytes > rules.gigabytes * 1e9) return [{ session, rule: "size" }]
      kept += 1
      bytes += session.bytes
      return []
    })
    .toReversed()
}
