/**
 * The index as SQLite: sessions, segments, and FTS5 over what was said. A pure projection of the log: deleting the file
 * costs the time to read the log again, nothing else.
 *
 * A row of `segments` is searched together with the text that follows it (`body`), so that a phrase is found across the
 * cut between two subtitles. Deleted text is overwritten (`secure_delete`, also inside FTS5), and the journal is emptied.
 */
import * as Effect from "effect/Effect"
import { mkdirSync, rmSync } from "node:fs"
import { dirname } from "node:path"
import type { DatabaseSync } from "node:sqlite"
import { describe, Retryable } from "../kernel/Failure.ts"

/** Another number makes the index anew. */
const VERSION = 1

const TABLES = `
CREATE TABLE meta (key TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE sessions (
  session TEXT PRIMARY KEY, mode TEXT NOT NULL, title TEXT NOT NULL DEFAULT '', ticket TEXT,
  started TEXT NOT NULL DEFAULT '', samples INTEGER NOT NULL DEFAULT 0, state TEXT NOT NULL DEFAULT 'queued',
  coverage REAL, language TEXT NOT NULL DEFAULT '', folder TEXT NOT NULL DEFAULT '', bundle TEXT NOT NULL DEFAULT '',
  bytes INTEGER NOT NULL DEFAULT 0, pin INTEGER NOT NULL DEFAULT 0, pinned INTEGER NOT NULL DEFAULT 0,
  error TEXT, version INTEGER NOT NULL DEFAULT 0
) WITHOUT ROWID;
CREATE TABLE segments (
  id INTEGER PRIMARY KEY, session TEXT NOT NULL, unit INTEGER NOT NULL,
  start INTEGER NOT NULL, end INTEGER NOT NULL, body_end INTEGER NOT NULL,
  speaker TEXT, text TEXT NOT NULL, body TEXT NOT NULL
);
CREATE INDEX segments_of ON segments (session, unit);
CREATE VIRTUAL TABLE words USING fts5 (body, content='segments', content_rowid='id', tokenize='unicode61 remove_diacritics 2');
INSERT INTO words (words, rank) VALUES ('secure-delete', 1);
CREATE TRIGGER segment_added AFTER INSERT ON segments BEGIN
  INSERT INTO words (rowid, body) VALUES (new.id, new.body);
END;
CREATE TRIGGER segment_removed AFTER DELETE ON segments BEGIN
  INSERT INTO words (words, rowid, body) VALUES ('delete', old.id, old.body);
END;
PRAGMA user_version = ${VERSION};
`

export const indexFailure = (cause: unknown) =>
  new Retryable({ code: "index.failed", message: `The search index cannot be used: ${describe(cause)}`, cause })

/** Work on the index; whatever SQLite throws is `index.failed`. */
export const onIndex = <A>(work: () => A): Effect.Effect<A, Retryable> => Effect.try({ try: work, catch: indexFailure })

export const removeIndex = (path: string): void => {
  for (const suffix of ["", "-wal", "-shm"]) rmSync(`${path}${suffix}`, { force: true })
}

/** All of `work` or nothing of it. */
export const transaction = <A>(db: DatabaseSync, work: () => A): A => {
  db.exec("BEGIN IMMEDIATE")
  try {
    const result = work()
    db.exec("COMMIT")
    return result
  } catch (cause) {
    db.exec("ROLLBACK")
    throw cause
  }
}

const open = (Database: typeof DatabaseSync, path: string): DatabaseSync => {
  const db = new Database(path)
  try {
    db.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA secure_delete = ON; PRAGMA busy_timeout = 5000")
    const version = db.prepare("PRAGMA user_version").get()?.["user_version"]
    if (version === VERSION) return db
    if (version !== 0) throw new Error(`it is of version ${String(version)}`)
    transaction(db, () => db.exec(TABLES))
    return db
  } catch (cause) {
    db.close()
    throw cause
  }
}

/** Opens the index; one that is damaged or of another version is made anew. The scope closes it. */
export const openIndex = (path: string) =>
  Effect.acquireRelease(
    Effect.tryPromise({
      try: async () => {
        const { DatabaseSync: Database } = await import("node:sqlite")
        mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
        try {
          return open(Database, path)
        } catch {
          removeIndex(path)
          return open(Database, path)
        }
      },
      catch: indexFailure
    }),
    (db) => Effect.sync(() => db.close())
  )

/** Writes back and empties the journal, so that nothing deleted lingers in it. */
export const settleIndex = (db: DatabaseSync): void => db.exec("PRAGMA wal_checkpoint(TRUNCATE)")
