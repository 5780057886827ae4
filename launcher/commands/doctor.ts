/** `voxbus doctor`: what is there, what works, what to do. */
import * as Command from "effect/cli/Command"
import * as Effect from "effect/Effect"
import { diagnose } from "../../models/index.ts"
import { jsonFlag, printJson, printLine } from "../Output.ts"

const MARKS = { ok: "ok  ", warn: "warn", fail: "FAIL" } as const

export const doctor = Command.make(
  "doctor",
  { json: jsonFlag },
  Effect.fn(function* ({ json }) {
    const checks = yield* diagnose
    const ok = checks.every((check) => check.status !== "fail")
    if (!ok) process.exitCode = 4
    if (json) return yield* printJson({ ok, checks })
    for (const { name, status, detail, fix } of checks)
      yield* printLine(`${MARKS[status]}  ${name.padEnd(22)} ${detail}${fix === undefined ? "" : `\n      ${" ".repeat(22)} -> ${fix}`}`)
    yield* printLine(ok ? "\nEverything that is needed works." : "\nDo what the arrows say, then run it again.")
  })
).pipe(Command.withDescription("Check the machine, the models and the engines"))
