/**
 * An actor in a process of its own (`worker.ts`), started again with backoff when it dies, ended with its parent.
 */
import * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"
import { spawn } from "node:child_process"
import { fileURLToPath } from "node:url"
import { Retryable } from "../kernel/Failure.ts"

const WORKER = fileURLToPath(new URL("worker.ts", import.meta.url))
/** Time for a process to finish the unit it holds, when it is asked to leave. */
const DRAIN = "12 seconds"

const runOnce = (actor: string, environment: Readonly<Record<string, string>>) =>
  Effect.callback<never, Retryable>((resume) => {
    // These processes wait for native code: small is better than fast (17 MB each).
    const child = spawn(process.execPath, ["--optimize-for-size", WORKER, actor], {
      env: { ...process.env, ...environment },
      // Its standard input is its life line; its log is ours.
      stdio: ["pipe", "ignore", "inherit"],
      // Not in the terminal's group: Ctrl-C is for the launcher, which asks it to finish its unit.
      detached: process.platform !== "win32"
    })
    const gone = (how: string) =>
      resume(Effect.fail(new Retryable({ code: "instance.failed", message: `The ${actor} process stopped (${how}).` })))
    child.once("error", (cause) => gone(cause.message))
    child.once("exit", (code, signal) => gone(signal ?? `exit ${code}`))
    return Effect.callback<void>((done) => {
      if (child.exitCode !== null || child.signalCode !== null) return done(Effect.void)
      child.once("exit", () => done(Effect.void))
      child.kill("SIGTERM")
    }).pipe(Effect.timeoutOrElse({ duration: DRAIN, orElse: () => Effect.sync(() => void child.kill("SIGKILL")) }))
  })

/** Runs for ever; `onDown` is told each time the process stops. */
export const supervise = (actor: string, environment: Readonly<Record<string, string>>, onDown: (reason: string) => Effect.Effect<void>) =>
  runOnce(actor, environment).pipe(
    Effect.tapError((failure) => Effect.logWarning(failure.message, "It is started again.").pipe(Effect.andThen(onDown(failure.message)))),
    Effect.retry(Schedule.min([Schedule.exponential("100 millis"), Schedule.spaced("5 seconds")]))
  )
