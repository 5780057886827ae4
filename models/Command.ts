/**
 * Runs a program of the machine (python, tar, a compiler) and collects what it says. Interrupting kills it.
 *
 * It never fails: a program that does not exist is `code: 127`, like in a shell; the caller knows what that means.
 */
import { withoutKeys } from "../kernel/Keys.ts"
import * as Effect from "effect/Effect"
import { spawn } from "node:child_process"

export interface Outcome {
  readonly code: number
  /** The last 64 KiB of each. */
  readonly stdout: string
  readonly stderr: string
}

export interface RunOptions {
  readonly cwd?: string
  /** Added to the environment of the process. */
  readonly env?: Readonly<Record<string, string>>
  /** File descriptor that gets standard output in place of the result. */
  readonly output?: number
  /** Windows finds `npm.cmd` only through the shell; arguments must then be free of spaces. */
  readonly shell?: boolean
}

const KEPT = 65_536

export const run = (command: string, args: ReadonlyArray<string>, options: RunOptions = {}): Effect.Effect<Outcome> =>
  Effect.callback((resume) => {
    let stdout = ""
    let stderr = ""
    const child = spawn(command, args, {
      cwd: options.cwd,
      env: { ...withoutKeys(process.env), ...options.env },
      shell: options.shell ?? false,
      windowsHide: true,
      stdio: ["ignore", options.output ?? "pipe", "pipe"]
    })
    child.stdout?.setEncoding("utf8").on("data", (text: string) => (stdout = (stdout + text).slice(-KEPT)))
    child.stderr?.setEncoding("utf8").on("data", (text: string) => (stderr = (stderr + text).slice(-KEPT)))
    child.once("error", (error) => resume(Effect.succeed({ code: 127, stdout, stderr: error.message })))
    child.once("close", (code) => resume(Effect.succeed({ code: code ?? 137, stdout, stderr })))
    return Effect.sync(() => void child.kill("SIGKILL"))
  })

/** The line of a program's complaint that says most: the last that names an error, else the last. */
export const complaint = (outcome: Outcome): string => {
  const lines = `${outcome.stdout}\n${outcome.stderr}`.split(/\r?\n/).filter((line) => line.trim() !== "")
  return (lines.findLast((line) => /error/i.test(line)) ?? lines.at(-1) ?? `exit code ${outcome.code}`).trim().slice(0, 300)
}
