/**
 * An actor in a process of its own (`worker.ts`), started again with backoff when it dies, ended with its parent.
 * Interrupted, it is asked to finish the unit it holds and to leave.
 */
import * as Effect from "effect/Effect"
import { spawn } from "node:child_process"
import { fileURLToPath } from "node:url"
import { Retryable } from "../kernel/Failure.ts"
import { keepRunning } from "../kernel/KeepRunning.ts"
import { READY } from "./Ready.ts"

const WORKER = fileURLToPath(new URL("worker.ts", import.meta.url))
/** Milliseconds before a process that was killed is started again. */
const PAUSE_MS = 100

/** Time for a process to finish the unit it holds, when it is asked to leave. */
const DRAIN = "12 seconds"

export interface Watch {
  readonly onStart: (pid: number) => void
  /** It takes events. */
  readonly onReady: () => void
  /** It ended by itself. */
  readonly onDown: (reason: string) => Effect.Effect<void>
}

const runOnce = (actor: string, environment: Readonly<Record<string, string>>, watch: Watch) =>
  Effect.callback<never, Retryable>((resume) => {
    // These processes wait for native code: small is better than fast (17 MB each).
    const child = spawn(process.execPath, ["--optimize-for-size", WORKER, actor], {
      env: { ...process.env, ...environment },
      // Its standard input is its life line; its log is ours; the channel says when it is ready.
      stdio: ["pipe", "ignore", "inherit", "ipc"],
      // Not in the terminal's group: Ctrl-C is for the launcher, which asks it to finish its unit.
      detached: process.platform !== "win32"
    })
    const gone = (how: string) =>
      resume(Effect.fail(new Retryable({ code: "instance.failed", message: `The ${actor} process stopped (${how}).` })))
    if (child.pid !== undefined) watch.onStart(child.pid)
    child.on("message", (message) => {
      if (message === READY) watch.onReady()
    })
    child.once("error", (cause) => gone(cause.message))
    child.once("exit", (code, signal) => gone(signal ?? `exit ${code}`))
    return Effect.callback<void>((done) => {
      if (child.exitCode !== null || child.signalCode !== null) return done(Effect.void)
      child.once("exit", () => done(Effect.void))
      child.kill("SIGTERM")
    }).pipe(Effect.timeoutOrElse({ duration: DRAIN, orElse: () => Effect.sync(() => void child.kill("SIGKILL")) }))
  })

/** Runs for ever. */
export const supervise = (actor: string, environment: Readonly<Record<string, string>>, watch: Watch) =>
  keepRunning(
    runOnce(actor, environment, watch),
    (failure) =>
      Effect.logWarning(failure.message, "It is started again.").pipe(
        Effect.andThen(Effect.forkChild(watch.onDown(failure.message))),
        Effect.asVoid
      ),
    PAUSE_MS
  )
