/**
 * One process at a time per model: an exclusive lock that the operating system drops when its holder dies, kill -9
 * included, so there is no stale lock to judge. It is SQLite's file lock on an empty database, the only such lock that
 * Node has built in.
 */
import * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"
import { mkdirSync } from "node:fs"
import { dirname } from "node:path"
import { DatabaseSync } from "node:sqlite"

/** `undefined` when another holds it. */
const tryLock = (path: string): DatabaseSync | undefined => {
  mkdirSync(dirname(path), { recursive: true })
  const database = new DatabaseSync(path, { timeout: 0 })
  try {
    database.exec("BEGIN EXCLUSIVE")
    return database
  } catch (cause) {
    database.close()
    // 5 is SQLITE_BUSY; anything else (a read-only folder) is not cured by waiting.
    if (cause instanceof Error && "errcode" in cause && cause.errcode === 5) return undefined
    throw cause
  }
}

/** Waits for the lock, runs `use`, gives it back. `onWait` is called once, when there is a wait. */
export const withLock = <A, E, R>(path: string, onWait: () => void, use: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> => {
  let told = false
  const take = Effect.suspend(() => {
    const lock = tryLock(path)
    if (lock !== undefined) return Effect.succeed(lock)
    if (!told) onWait()
    told = true
    return Effect.fail("held" as const)
  })
  return Effect.acquireUseRelease(
    take.pipe(Effect.retry(Schedule.spaced("300 millis")), Effect.orDie),
    () => use,
    (lock) => Effect.sync(() => lock.close())
  )
}
