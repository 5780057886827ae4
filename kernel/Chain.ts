/**
 * Engines in order of preference: each is tried as often as it makes sense, then the next one answers, and the first is
 * used again by itself once it works. A circuit breaker (Effect's) keeps a broken one from costing every turn its time:
 * open after so many failures in a row, then one request as a probe.
 *
 * Retries are here and nowhere else: failures of a provider that may pass, three tries, 1, 2, 4 s apart (at most 10,
 * with jitter), or as `Retry-After` says. Local engines are retried by the runtime instead.
 */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Random from "effect/Random"
import * as CircuitBreaker from "effect/persistence/CircuitBreaker"
import type * as Scope from "effect/Scope"
import { Bus } from "./Bus.ts"
import { type Failure, Retryable } from "./Failure.ts"
import { report } from "./Health.ts"
import { Settings } from "./Settings.ts"

export interface Link<A> {
  /** As the events name it. */
  readonly name: string
  readonly engine: A
}

export interface Served<B> {
  readonly value: B
  /** Name of the link that did it. */
  readonly by: string
}

export interface Chain {
  /** Runs `use` with the first engine that manages. With all of them down it fails with the first one's failure. */
  readonly run: <A, B>(
    links: ReadonlyArray<Link<A>>,
    use: (engine: A, name: string) => Effect.Effect<B, Failure>
  ) => Effect.Effect<Served<B>, Failure>
}

const TRIES = 3
const FIRST_MS = 1_000
const CAP_MS = 10_000

/** A failure that waiting may cure. */
const passes = (failure: Failure): boolean => failure._tag === "Retryable" && failure.code.startsWith("provider.")

/**
 * @param options.hasNext another engine waits: one that does not even take connections is not waited for
 */
export const retried = <B>(work: Effect.Effect<B, Failure>, options: { readonly hasNext: boolean }): Effect.Effect<B, Failure> => {
  const attempt = (number: number): Effect.Effect<B, Failure> =>
    work.pipe(
      Effect.catch((failure) =>
        Effect.gen(function* () {
          const asked = failure._tag === "Retryable" ? failure.delayMs : undefined
          const hopeless = (failure.code === "provider.unreachable" && options.hasNext) || (asked !== undefined && asked > CAP_MS)
          if (!passes(failure) || hopeless || number >= TRIES) return yield* failure
          const jitter = yield* Random.nextBetween(0.8, 1.2)
          yield* Effect.sleep(asked ?? jitter * Math.min(CAP_MS, FIRST_MS * 2 ** (number - 1)))
          return yield* attempt(number + 1)
        })
      )
    )
  return attempt(1)
}

/** A refused request says nothing about the provider's health. */
const classify = (exit: Exit.Exit<unknown, Failure>): CircuitBreaker.Outcome => {
  if (exit._tag === "Success") return CircuitBreaker.success
  const failure = exit.cause.reasons.find((reason) => reason._tag === "Fail")?.error
  if (failure === undefined || failure.code === "provider.rejected" || failure.code.startsWith("input.")) return CircuitBreaker.ignored
  return CircuitBreaker.failure()
}

/** A chain for one actor of this process. What it is at, it says in the actor's `health.changed`. */
export const makeChain = Effect.fnUntraced(function* (actor: string): Effect.fn.Return<Chain, never, Settings | Scope.Scope> {
  // Voices and engines are also used outside of an actor, where there is nobody to tell.
  const bus = yield* Effect.serviceOption(Bus)
  const { failures, openSeconds } = (yield* Settings).provider.circuit
  const store = yield* Layer.build(CircuitBreaker.layerStoreMemory())
  const breaker = yield* CircuitBreaker.make({
    tripPolicy: CircuitBreaker.consecutive(failures),
    openDuration: `${openSeconds} seconds`
  }).pipe(Effect.provide(store))

  let said = ""
  const say = (detail: string) =>
    Effect.suspend(() => {
      if (said === detail || bus._tag === "None") return Effect.void
      said = detail
      return report(actor, detail === "" ? "ready" : "degraded", detail).pipe(Effect.provideService(Bus, bus.value))
    })

  /** Why an engine is left alone, for those who ask meanwhile. */
  const reasons = new Map<string, Failure>()
  const guarded = <B>(name: string, work: Effect.Effect<B, Failure>): Effect.Effect<B, Failure> =>
    breaker
      .execute(
        Effect.tapError(work, (failure) => Effect.sync(() => void reasons.set(name, failure))),
        { key: name, classify }
      )
      .pipe(
        Effect.catchTag("CircuitBreakerError", () =>
          Effect.fail<Failure>(
            reasons.get(name) ??
              new Retryable({
                code: "provider.unavailable",
                message: `${name} failed ${failures} times in a row and is left alone for ${openSeconds} s.`
              })
          )
        )
      )

  return {
    run: Effect.fnUntraced(function* (links, use) {
      const [only] = links
      if (links.length === 1 && only !== undefined)
        return {
          value: yield* retried(
            Effect.suspend(() => use(only.engine, only.name)),
            { hasNext: false }
          ),
          by: only.name
        }
      let first: Failure | undefined
      for (const [index, { name, engine }] of links.entries()) {
        const work = retried(
          Effect.suspend(() => use(engine, name)),
          { hasNext: index < links.length - 1 }
        )
        const exit = yield* Effect.exit(guarded(name, work))
        if (exit._tag === "Success") {
          yield* say(first === undefined ? "" : `${name} stands in for ${links[0]?.name}. ${first.message}`)
          return { value: exit.value, by: name }
        }
        const failure = exit.cause.reasons.find((reason) => reason._tag === "Fail")?.error
        if (failure === undefined) return yield* Effect.failCause(exit.cause)
        yield* Effect.logWarning("an engine of the chain failed").pipe(
          Effect.annotateLogs({ engine: name, code: failure.code, reason: failure.message })
        )
        first ??= failure
      }
      const failure = first ?? new Retryable({ code: "engine.unavailable", message: `No engine is configured for the ${actor}.` })
      yield* say(`None of ${links.map(({ name }) => name).join(", ")} works. ${failure.message}`)
      return yield* failure
    })
  }
})
