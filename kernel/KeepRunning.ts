/**
 * Starts a thing again whenever it ends, for as long as the scope lives: at once the first time, later and later when it
 * does not even stay up. Used for actor processes and for nats-server.
 *
 * What counts is how long it lived, not how often it died: a process that was killed a hundred times in a day comes back
 * as fast as the first time.
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"

/** Milliseconds: one that lived this long was well, and the next pause is the first one again. */
export const HEALTHY_MS = 3_000
const LONGEST_PAUSE_MS = 5_000

/**
 * @param once runs until it ends, which is a failure
 * @param onEnd told each time, before the pause; how often in a row it has not been well, from 1
 * @param firstPauseMs doubled each time it was not well
 */
export const keepRunning = <E, R>(
  once: Effect.Effect<never, E, R>,
  onEnd: (failure: E, failures: number) => Effect.Effect<void>,
  firstPauseMs: number
): Effect.Effect<never, never, R> =>
  Effect.suspend(() => {
    let failures = 0
    const round = Effect.gen(function* () {
      const startedAt = yield* Clock.currentTimeMillis
      const failure = yield* Effect.flip(once)
      const lived = (yield* Clock.currentTimeMillis) - startedAt
      failures = lived >= HEALTHY_MS ? 1 : failures + 1
      yield* onEnd(failure, failures)
      yield* Effect.sleep(Math.min(LONGEST_PAUSE_MS, firstPauseMs * 2 ** (failures - 1)))
    })
    return Effect.forever(round)
  })
