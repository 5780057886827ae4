/**
 * What commands print: results on standard output (JSON with `--json`, one object per line), everything else on
 * standard error. A failure prints its cause, its fix and its code, and sets the exit code of the error table.
 */
import * as Effect from "effect/Effect"
import * as Flag from "effect/cli/Flag"
import { ERRORS } from "../contract/Errors.ts"
import type { Failure } from "../kernel/Failure.ts"

export const jsonFlag = Flag.Boolean("json").pipe(
  Flag.withDescription("Print the result as JSON, one object per line"),
  Flag.withDefault(false)
)

export const printLine = (text: string): Effect.Effect<void> => Effect.sync(() => void process.stdout.write(`${text}\n`))
export const printJson = (value: unknown): Effect.Effect<void> => printLine(JSON.stringify(value))
export const note = (text: string): Effect.Effect<void> => Effect.sync(() => void process.stderr.write(`${text}\n`))

/** The failure as a person or a program reads it. */
export const failureText = (failure: Failure): string => `voxbus: ${failure.message}\n  ${ERRORS[failure.code].fix} [${failure.code}]`
export const failureJson = (failure: Failure) => ({
  error: failure.code,
  message: failure.message,
  fix: ERRORS[failure.code].fix,
  recoverable: ERRORS[failure.code].recoverable
})

/** Ends the process with the failure's exit code once everything is closed. */
export const fail = (failure: Failure): Effect.Effect<void> =>
  Effect.andThen(
    note(failureText(failure)),
    Effect.sync(() => void (process.exitCode = ERRORS[failure.code].exit))
  )

/** A line that is written over on a terminal, and left out elsewhere. */
export const status = (text: string): Effect.Effect<void> =>
  Effect.sync(() => {
    if (process.stderr.isTTY) process.stderr.write(`\r\u001b[2K${text}`)
  })
export const clearStatus: Effect.Effect<void> = status("")

/** `mm:ss` or `h:mm:ss`. */
export const clock = (seconds: number): string => {
  const whole = Math.floor(seconds)
  const pad = (n: number) => String(n).padStart(2, "0")
  const minutes = Math.floor(whole / 60)
  return minutes < 60 ? `${pad(minutes)}:${pad(whole % 60)}` : `${Math.floor(minutes / 60)}:${pad(minutes % 60)}:${pad(whole % 60)}`
}
