/**
 * What a running instance does beside its actors: keeps the index up with the log, finishes deletions that a crash cut
 * short, and lets go what the retention rules of the settings no longer keep, at the start and every hour.
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"
import { Settings } from "../kernel/Settings.ts"
import { eraseSession, finishErasing } from "../library/Erase.ts"
import { Library } from "../library/Library.ts"
import { expired, hasRules } from "../library/Retention.ts"

/** Calls that retention looks at: more than anybody keeps. */
const ALL = 1_000_000

/** What the rules let go now. */
export const expiredNow = Effect.gen(function* () {
  const library = yield* Library
  const { retention } = yield* Settings
  if (!hasRules(retention)) return []
  return expired(yield* library.list({ limit: ALL, mode: "call" }), retention, yield* Clock.currentTimeMillis)
})

export const applyRetention = Effect.gen(function* () {
  const gone = yield* expiredNow
  yield* Effect.forEach(gone, ({ session }) => eraseSession(session.session, { by: "retention", reason: "retention", force: false }))
  return gone
})

export const keepHouse = Effect.gen(function* () {
  const library = yield* Library
  const chores = finishErasing.pipe(
    Effect.andThen(applyRetention),
    Effect.catch((failure) => Effect.logWarning("retention").pipe(Effect.annotateLogs({ reason: failure.message }))),
    Effect.repeat(Schedule.spaced("1 hour"))
  )
  yield* Effect.all([library.follow, chores], { concurrency: "unbounded", discard: true })
})
