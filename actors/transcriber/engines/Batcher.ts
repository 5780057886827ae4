/**
 * Collects requests that arrive together into passes of a few: decoding two chunks in one pass costs 16 % less than one
 * after the other, and more than that gains nothing on a CPU.
 *
 * As many passes run at once as there are slots; each waits for its lease first and only then takes its share, so
 * requests collect while the cores are busy. Sharing is fair: with two idle slots and four requests each takes two.
 */
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Queue from "effect/Queue"
import type { Lease } from "../../../kernel/Cores.ts"
import type { Failure } from "../../../kernel/Failure.ts"

export interface Options<Job, Out> {
  /** Passes that may run at once. */
  readonly slots: number
  /** Requests a pass takes at most. */
  readonly most: number
  /** Milliseconds a slot waits for company before it asks for its lease. */
  readonly lingerMs: number
  /** Requests share a pass when this is equal. */
  readonly key: (job: Job) => string
  readonly lease: <A>(use: (lease: Lease) => Effect.Effect<A, Failure>) => Effect.Effect<A, Failure>
  /** One result per job, in their order. Not interrupted once begun. */
  readonly pass: (jobs: ReadonlyArray<Job>, lease: Lease) => Effect.Effect<ReadonlyArray<Out>, Failure>
}

interface Waiting<Job, Out> {
  readonly job: Job
  readonly done: Deferred.Deferred<Out, Failure>
}

/** Returns the function that submits one request and waits for its result. */
export const make = Effect.fnUntraced(function* <Job, Out>(options: Options<Job, Out>) {
  const bell = yield* Queue.unbounded<void>()
  const waiting: Array<Waiting<Job, Out>> = []
  let idle = options.slots

  /** The oldest request and those like it, as many as are this slot's share. */
  const take = (): ReadonlyArray<Waiting<Job, Out>> => {
    const first = waiting[0]
    if (first === undefined) return []
    const key = options.key(first.job)
    const alike = waiting.filter((entry) => options.key(entry.job) === key)
    const taken = alike.slice(0, Math.min(options.most, Math.ceil(alike.length / Math.max(1, idle))))
    for (const entry of taken) waiting.splice(waiting.indexOf(entry), 1)
    return taken
  }

  const work = (lease: Lease) =>
    Effect.suspend(() => {
      const taken = take()
      if (taken.length === 0) return Effect.void
      idle -= 1
      return options
        .pass(
          taken.map((entry) => entry.job),
          lease
        )
        .pipe(
          Effect.exit,
          Effect.tap((exit) =>
            Effect.sync(() => {
              idle += 1
              taken.forEach((entry, i) => {
                const out = exit._tag === "Success" ? exit.value[i] : undefined
                Deferred.doneUnsafe(
                  entry.done,
                  out !== undefined ? Effect.succeed(out) : Effect.andThen(exit, Effect.die("a pass without result"))
                )
              })
            })
          ),
          Effect.asVoid
        )
    }).pipe(Effect.uninterruptible)

  /** No lease: everybody who waits is told, instead of waiting for ever. */
  const refuse = (failure: Failure) =>
    Effect.sync(() => {
      for (const entry of waiting.splice(0)) Deferred.doneUnsafe(entry.done, Effect.fail(failure))
    })

  const slot = Effect.gen(function* () {
    yield* Queue.take(bell)
    if (waiting.length === 0) return
    yield* Effect.sleep(options.lingerMs)
    yield* options.lease(work).pipe(Effect.catch(refuse))
  })
  for (let i = 0; i < options.slots; i++) yield* Effect.forkScoped(Effect.forever(slot))

  return (job: Job): Effect.Effect<Out, Failure> =>
    Effect.gen(function* () {
      const entry: Waiting<Job, Out> = { job, done: yield* Deferred.make<Out, Failure>() }
      waiting.push(entry)
      yield* Queue.offer(bell, undefined)
      const forget = Effect.sync(() => {
        const at = waiting.indexOf(entry)
        if (at >= 0) waiting.splice(at, 1)
      })
      return yield* Deferred.await(entry.done).pipe(Effect.onInterrupt(() => forget))
    })
})
