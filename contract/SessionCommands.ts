/** Sessions: what there is, what was said in it, and how it goes away. */
import * as Schema from "effect/Schema"
import { command } from "./Command.ts"
import { Coverage } from "./Events.ts"
import { Mode, SessionId } from "./Session.ts"

const Limit = Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 500 }))
const Count = Schema.Int.check(Schema.isGreaterThanOrEqualTo(0))

/** One session as a list shows it. */
export const SessionSummary = Schema.Struct({
  session: SessionId,
  mode: Mode,
  title: Schema.String,
  ticket: Schema.optionalKey(Schema.String),
  /** ISO 8601; empty while it waits in the queue. */
  startedAt: Schema.String,
  durationSeconds: Schema.Finite,
  state: Schema.Literals(["queued", "open", "transcribing", "bundling", "completed", "cancelled", "failed"]),
  /** Speech transcribed / speech detected, 0..1; absent until there is a transcript. */
  coverage: Schema.optionalKey(Schema.Finite),
  language: Schema.String,
  /** Output folder on the host of the bundler; empty until it is written. */
  folder: Schema.String,
  bundle: Schema.String,
  /** Audio and files it takes on the disk. */
  bytes: Count,
  pinned: Schema.Boolean,
  /** Code of the error table, when it failed. */
  error: Schema.optionalKey(Schema.String)
})
export type SessionSummary = typeof SessionSummary.Type

export const ListSessions = command("sessions.list", {
  request: Schema.Struct({
    limit: Schema.optionalKey(Limit),
    /** Only sessions older than this one: the last of the page before. */
    before: Schema.optionalKey(SessionId),
    mode: Schema.optionalKey(Mode),
    ticket: Schema.optionalKey(Schema.String),
    state: Schema.optionalKey(Schema.String)
  }),
  reply: Schema.Struct({ sessions: Schema.Array(SessionSummary) }),
  changes: false,
  means: "Sessions, the newest first, 50 unless limited."
})

export const GetSession = command("sessions.get", {
  request: Schema.Struct({ session: SessionId }),
  reply: Schema.Struct({
    ...SessionSummary.fields,
    gaps: Coverage.fields.gaps,
    /** Keywords that were spotted, seconds from the start. */
    keywords: Schema.Array(Schema.Struct({ keyword: Schema.String, start: Schema.Finite, text: Schema.String })),
    /** Written by a language model, not checked by a person. */
    summaries: Schema.Array(
      Schema.Struct({
        unit: Schema.Int,
        generated: Schema.Literal(true),
        engine: Schema.String,
        model: Schema.String,
        summary: Schema.String,
        actionItems: Schema.Array(Schema.String),
        keywords: Schema.Array(Schema.String)
      })
    )
  }),
  changes: false,
  means: "One session with its gaps, keyword alerts and generated summaries."
})

export const Hit = Schema.Struct({
  session: SessionId,
  /** Seconds from the start of the recording. */
  start: Schema.Finite,
  end: Schema.Finite,
  text: Schema.String,
  /** `text` with what matched in square brackets. */
  snippet: Schema.String,
  title: Schema.String,
  startedAt: Schema.String,
  ticket: Schema.optionalKey(Schema.String),
  speaker: Schema.optionalKey(Schema.String),
  /** Higher is better; comparable within one answer only. */
  score: Schema.Finite
})
export type Hit = typeof Hit.Type

export const SearchSessions = command("sessions.search", {
  request: Schema.Struct({
    /** Words, "phrases", prefix*, -without, speaker:NAME, ticket:ID, title:WORD, after:DATE, before:DATE. Accents and case do not matter. */
    query: Schema.NonEmptyString.check(Schema.isMaxLength(500)),
    limit: Schema.optionalKey(Limit)
  }),
  reply: Schema.Struct({ hits: Schema.Array(Hit) }),
  changes: false,
  means: "Full-text search over everything that was said, best hits first."
})

export const DeleteSession = command("sessions.delete", {
  request: Schema.Struct({
    session: SessionId,
    /** Also while work on it goes on. */
    force: Schema.optionalKey(Schema.Boolean)
  }),
  reply: Schema.Struct({
    session: SessionId,
    events: Count,
    bytes: Count,
    /** Files in the output folder that Voxbus did not write, and left. */
    left: Schema.Array(Schema.String)
  }),
  changes: true,
  means: "Erases a session for good: events, audio, transcripts, index and output files. A tombstone stays."
})

export const PinSession = command("sessions.pin", {
  request: Schema.Struct({ session: SessionId, pinned: Schema.Boolean }),
  reply: Schema.Struct({ session: SessionId, pinned: Schema.Boolean }),
  changes: true,
  means: "Keeps a session from being deleted by retention, or no longer."
})

export const RunRetention = command("sessions.retention", {
  request: Schema.Struct({
    /** Delete; without it the answer only says what would be. */
    apply: Schema.Boolean
  }),
  reply: Schema.Struct({
    applied: Schema.Boolean,
    sessions: Schema.Array(
      Schema.Struct({ session: SessionId, title: Schema.String, bytes: Count, rule: Schema.Literals(["age", "count", "size"]) })
    )
  }),
  changes: true,
  means: "Finished calls that the retention rules of the settings no longer keep."
})

export const RebuildIndex = command("index.rebuild", {
  request: Schema.Struct({}),
  reply: Schema.Struct({ sessions: Count, segments: Count }),
  changes: true,
  means: "Makes the search index anew from the log."
})
