/**
 * The actors' processes on this host: which there are, how often each ended by itself, and replacing one while it works.
 *
 * In a replacement both processes take work until the new one is ready; then the old one takes nothing more, finishes
 * what it holds, gives back what was on its way to it, and leaves. The consumer is theirs in common, so nothing waits.
 */
import * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Semaphore from "effect/Semaphore"
import { type Failure, Retryable, Terminal } from "../kernel/Failure.ts"
import { supervise } from "./ActorProcess.ts"

/** Time for a new process to load its model. */
const READY_WITHIN = "90 seconds"

export interface Replaced {
  /** Process ids. */
  readonly from: number
  readonly to: number
  readonly readyMs: number
  readonly leftMs: number
}

export class Fleet extends Context.Service<
  Fleet,
  {
    /** Actors that run here, with their processes; the launcher's own where an actor runs inside it. */
    readonly processes: Effect.Effect<ReadonlyArray<{ readonly actor: string; readonly pid: number; readonly restarts: number }>>
    readonly replace: (actor: string) => Effect.Effect<Replaced, Failure>
  }
>()("voxbus/Fleet") {}

interface Member {
  readonly fiber: Fiber.Fiber<unknown, unknown>
  readonly pid: () => number
  readonly ready: Effect.Effect<void>
}

/**
 * Starts a process for each of `apart`, in the current scope.
 *
 * @param inside actors that run in this process
 * @param onDown told each time a process ended by itself
 */
export const makeFleet = Effect.fnUntraced(function* (options: {
  readonly apart: ReadonlyArray<string>
  readonly inside: ReadonlyArray<string>
  readonly environment: Readonly<Record<string, string>>
  readonly onDown: (actor: string, reason: string) => Effect.Effect<void>
}) {
  const scope = yield* Effect.scope
  const members = new Map<string, Member>()
  const restarts = new Map<string, number>()
  const oneAtATime = yield* Semaphore.make(1)

  const launch = Effect.fnUntraced(function* (actor: string) {
    const ready = yield* Deferred.make<void>()
    let pid = 0
    const fiber = yield* supervise(actor, options.environment, {
      onStart: (started) => void (pid = started),
      onReady: () => Deferred.doneUnsafe(ready, Effect.void),
      onDown: (reason) => {
        restarts.set(actor, (restarts.get(actor) ?? 0) + 1)
        return options.onDown(actor, reason)
      }
    }).pipe(Effect.forkIn(scope))
    const member: Member = { fiber, pid: () => pid, ready: Deferred.await(ready) }
    return member
  })

  const replace = Effect.fnUntraced(function* (actor: string) {
    const old = members.get(actor)
    if (old === undefined) {
      const where = options.inside.includes(actor)
        ? "runs inside the launcher (VOXBUS_ISOLATE=all gives it a process)"
        : "does not run here"
      return yield* new Terminal({ code: "command.usage", message: `${actor} ${where}; nothing to replace.` })
    }
    const from = old.pid()
    const next = yield* launch(actor)
    const [waited, done] = yield* Effect.timed(Effect.timeoutOption(next.ready, READY_WITHIN))
    const readyMs = Math.round(Duration.toMillis(waited))
    if (done._tag === "None") {
      yield* Fiber.interrupt(next.fiber)
      const message = `The new ${actor} did not become ready within ${READY_WITHIN}; the old one works on.`
      return yield* new Retryable({ code: "instance.failed", message })
    }
    members.set(actor, next)
    const [left] = yield* Effect.timed(Fiber.interrupt(old.fiber))
    return { from, to: next.pid(), readyMs, leftMs: Math.round(Duration.toMillis(left)) }
  })

  yield* Effect.forEach(options.apart, (actor) => Effect.map(launch(actor), (member) => members.set(actor, member)), { discard: true })
  // All at once: each finishes its unit first.
  yield* Effect.addFinalizer(() => Fiber.interruptAll([...members.values()].map(({ fiber }) => fiber)))
  return Fleet.of({
    processes: Effect.sync(() => [
      ...[...members].map(([actor, member]) => ({ actor, pid: member.pid(), restarts: restarts.get(actor) ?? 0 })),
      ...options.inside.map((actor) => ({ actor, pid: process.pid, restarts: 0 }))
    ]),
    replace: (actor) => oneAtATime.withPermits(1)(replace(actor))
  })
})
