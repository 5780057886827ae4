/**
 * Transcriptions that were begun at a pause, before the turn was over. When nothing was said after the pause, the turn
 * is the same samples, and its transcript is here or about to be. A miss costs nothing but the work done in vain.
 *
 * The key is the content (hash of the samples, options), so a hit is exactly what transcribing again would give.
 */
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type { Failure } from "../../kernel/Failure.ts"

/** Utterances of few people at once. */
const MOST = 8

export interface Ahead<A> {
  /** Runs `work` unless it ran or is running. */
  readonly begin: (key: string, work: Effect.Effect<A, Failure>) => Effect.Effect<A, Failure>
  /**
   * What was begun, with the milliseconds of its compute time that were spent before now; runs `work` where nothing was
   * or where it failed. Once: the entry is gone afterwards.
   */
  readonly take: (key: string, work: Effect.Effect<A, Failure>) => Effect.Effect<{ readonly result: A; readonly aheadMs: number }, Failure>
}

/** @param computeMs milliseconds that a result took */
export const makeAhead = <A>(computeMs: (result: A) => number): Ahead<A> => {
  const begun = new Map<string, Deferred.Deferred<A, Failure>>()
  const begin: Ahead<A>["begin"] = (key, work) =>
    Effect.suspend(() => {
      const known = begun.get(key)
      if (known !== undefined) return Deferred.await(known)
      const made = Deferred.makeUnsafe<A, Failure>()
      begun.set(key, made)
      for (const old of [...begun.keys()].slice(0, -MOST)) begun.delete(old)
      return work.pipe(
        Effect.onExit((exit) => {
          if (Exit.isFailure(exit)) begun.delete(key)
          return Deferred.done(made, exit)
        })
      )
    })
  return {
    begin,
    take: (key, work) =>
      Effect.suspend(() => {
        const known = begun.get(key)
        if (known === undefined) return Effect.map(work, (result) => ({ result, aheadMs: 0 }))
        begun.delete(key)
        const from = performance.now()
        return Deferred.await(known).pipe(
          Effect.map((result) => ({ result, aheadMs: Math.max(0, computeMs(result) - (performance.now() - from)) })),
          Effect.catch(() => Effect.map(work, (result) => ({ result, aheadMs: 0 })))
        )
      })
  }
}
