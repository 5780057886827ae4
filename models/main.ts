/**
 * `node models/main.ts ensure --for start|demo|test`: what `launcher/setup.mjs` runs once the dependencies are there.
 * Everything is printed to standard error. Exit code 0, or that of the error.
 */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { parseArgs } from "node:util"
import { ERRORS } from "../contract/Errors.ts"
import { describe } from "../kernel/Failure.ts"
import { Settings } from "../kernel/Settings.ts"
import { SetName } from "./Catalog.ts"
import { ensureModels } from "./Ensure.ts"
import { terminalProgress } from "./TerminalProgress.ts"

const { positionals, values } = parseArgs({ allowPositionals: true, options: { for: { type: "string", default: "start" } } })
const set = values.for
if (positionals[0] !== "ensure" || !Schema.is(SetName)(set)) {
  process.stderr.write("usage: node models/main.ts ensure --for start|demo|test\n")
  process.exit(2)
}

const progress = terminalProgress()
const program = ensureModels(set, progress.onProgress).pipe(
  Effect.tap((plan) =>
    Effect.sync(() => {
      progress.stop()
      if (plan.note !== "") process.stderr.write(`Speech engine: ${plan.engine} (${plan.note})\n`)
    })
  ),
  Effect.provide(Settings.layer())
)

const result = await Effect.runPromise(Effect.result(program)).catch((cause: unknown) => {
  progress.stop()
  process.stderr.write(`error: ${describe(cause)}\n`)
  process.exit(ERRORS.internal.exit)
})
progress.stop()
if (result._tag === "Failure") {
  process.stderr.write(`error ${result.failure.code}: ${result.failure.message}\n`)
  process.exit(ERRORS[result.failure.code].exit)
}
