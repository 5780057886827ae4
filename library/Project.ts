/**
 * One event of the log as rows of the index. Applying an event twice changes nothing more, so the place in the log may
 * lag behind after a crash; text of chunks is there as they are transcribed, and the merged transcript replaces it.
 */
import type { DatabaseSync } from "node:sqlite"
import type { Event, Transcript } from "../contract/Events.ts"
import type { SessionId } from "../contract/Session.ts"
import { joinTexts, tidy } from "../kernel/Text.ts"

/** Samples of silence (2 s) after which two segments are not one sentence any more. */
const APART = 2 * 16_000

/** An error of these ends a call; of others it is a gap in it. */
const FATAL = ["capture", "normalizer", "bundler"]

interface Said {
  readonly start: number
  readonly end: number
  readonly text: string
  readonly speaker?: string
}

const addSegments = (db: DatabaseSync, session: SessionId, unit: number, said: ReadonlyArray<Said>): void => {
  const insert = db.prepare(
    "INSERT INTO segments (session, unit, start, end, body_end, speaker, text, body) VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
  )
  const texts = said.map((each) => ({ ...each, text: tidy(each.text) })).filter(({ text }) => text !== "")
  texts.forEach(({ start, end, text, speaker }, index) => {
    const next = texts[index + 1]
    const goesOn = next !== undefined && next.speaker === speaker && next.start - end < APART
    insert.run(session, unit, start, end, goesOn ? next.end : end, speaker ?? null, text, goesOn ? joinTexts([text, next.text]) : text)
  })
}

const removeSegments = (db: DatabaseSync, session: SessionId, unit?: number): void => {
  if (unit === undefined) db.prepare("DELETE FROM segments WHERE session = ?").run(session)
  else db.prepare("DELETE FROM segments WHERE session = ? AND unit = ?").run(session, unit)
}

/** Everything of a session goes. */
export const forget = (db: DatabaseSync, session: SessionId): void => {
  removeSegments(db, session)
  db.prepare("DELETE FROM sessions WHERE session = ?").run(session)
}

/** Makes the segments those of the merged transcript. */
const replaceTranscript = (db: DatabaseSync, { session, segments, version }: Transcript): void => {
  removeSegments(db, session)
  addSegments(db, session, 0, segments)
  db.prepare("UPDATE sessions SET version = ? WHERE session = ?").run(version, session)
}

const numberOf = (db: DatabaseSync, session: SessionId, column: "version" | "pin"): number =>
  Number(db.prepare("SELECT version, pin FROM sessions WHERE session = ?").get(session)?.[column] ?? 0)

/**
 * @param transcript of the events that `transcriptFrom` wants: the current one, where it is still stored
 */
export const project = (db: DatabaseSync, event: Event, transcript: Transcript | undefined): void => {
  if (!("session" in event)) return
  const { session, mode } = event
  if (event._tag === "tombstone.written") return forget(db, session)
  db.prepare("INSERT INTO sessions (session, mode) VALUES (?, ?) ON CONFLICT DO NOTHING").run(session, mode)
  const set = (assignments: string, ...values: ReadonlyArray<string | number | null>) =>
    db.prepare(`UPDATE sessions SET ${assignments} WHERE session = ?`).run(...values, session)
  switch (event._tag) {
    case "job.queued":
      return void set("title = ?, ticket = ?", event.title, event.ticket ?? null)
    case "session.opened":
      return void set("title = ?, ticket = ?, started = ?, state = 'open'", event.title, event.ticket ?? null, event.at)
    case "session.closed":
      return void set("state = ?", event.reason === "cancelled" ? "cancelled" : mode === "call" ? "transcribing" : "completed")
    case "audio.captured":
      return void ("blob" in event.audio && set("bytes = bytes + ?", event.audio.blob.bytes))
    case "audio.normalized":
      return void set("bytes = bytes + ?, samples = max(samples, ?)", event.audio.bytes, event.end)
    case "audio.completed":
      return void set("samples = ?", event.samples)
    case "text.transcribed":
      if (numberOf(db, session, "version") > 0) return
      removeSegments(db, session, event.unit)
      set("language = ?", event.language)
      return addSegments(db, session, event.unit, event.segments)
    case "reply.ready":
      if (mode !== "assistant" || event.kind === "summary") return
      removeSegments(db, session, -event.unit)
      return addSegments(db, session, -event.unit, [{ start: 0, end: 0, text: event.text, speaker: "assistant" }])
    case "transcript.completed":
      set("state = 'bundling', samples = ?, coverage = ?, language = ?", event.samples, event.coverage.ratio, event.language)
      return transcript === undefined ? undefined : replaceTranscript(db, transcript)
    case "transcript.diarized":
    case "speaker.renamed":
    case "transcript.edited":
      return transcript === undefined ? undefined : replaceTranscript(db, transcript)
    case "bundle.ready": {
      const bytes = event.files.reduce((sum, file) => sum + file.bytes, 0)
      return void set("state = 'completed', folder = ?, bundle = ?, bytes = bytes + ?", event.folder, event.bundle, bytes)
    }
    case "session.pinned":
      if (event.revision <= numberOf(db, session, "pin")) return
      return void set("pin = ?, pinned = ?", event.revision, event.pinned ? 1 : 0)
    case "job.failed":
      return void set("state = 'failed', error = ?", event.code)
    case "error.raised":
      return void (mode === "call" && FATAL.includes(event.actor) && set("state = 'failed', error = ?", event.code))
    default:
      return undefined
  }
}
