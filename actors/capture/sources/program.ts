/** A program that writes raw audio to its standard output: parec, arecord, ffmpeg. It ends with us, also on SIGKILL. */
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import { execFile } from "node:child_process"
import type { Bytes } from "../../../kernel/Bus.ts"
import { describe, type Failure, Retryable, systemCode, Terminal } from "../../../kernel/Failure.ts"
import { spawnGuarded } from "../../../kernel/Guard.ts"

const lost = (program: string, detail: string) =>
  new Retryable({ code: "device.failed", message: `The device stopped delivering (${program}: ${detail || "ended"}).` })

/** Its output until the scope closes; its end is a failure, because a device has none. */
export const programAudio = Effect.fnUntraced(function* (program: string, args: ReadonlyArray<string>) {
  let complaint = ""
  const child = yield* Effect.acquireRelease(
    Effect.sync(() => spawnGuarded(program, args)),
    (child) => Effect.sync(() => void child.kill("SIGTERM"))
  )
  child.stderr?.setEncoding("utf8").on("data", (text: string) => (complaint = `${complaint}${text}`.slice(-300)))
  child.on("error", (cause) => (complaint = describe(cause)))
  const output = child.stdout
  if (output === null) return yield* new Terminal({ code: "device.unavailable", message: `${program} cannot be started.` })
  const ended: Stream.Stream<Bytes, Failure> = Stream.fromEffect(
    Effect.suspend(() => Effect.fail(lost(program, complaint.trim().split("\n").at(-1) ?? "")))
  )
  return Stream.fromAsyncIterable<Bytes, Retryable>(output, (cause) => lost(program, describe(cause))).pipe(Stream.concat(ended))
})

/** What a program prints (standard output, then standard error); `undefined` where there is no such program. */
export const programOutput = (program: string, args: ReadonlyArray<string>): Effect.Effect<string | undefined> =>
  Effect.callback((resume) => {
    execFile(program, [...args], { timeout: 5_000, env: { ...process.env, LC_ALL: "C" }, maxBuffer: 8 << 20 }, (cause, stdout, stderr) =>
      resume(Effect.succeed(cause !== null && systemCode(cause) === "ENOENT" ? undefined : `${stdout}\n${stderr}`))
    )
  })
