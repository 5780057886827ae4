/** `voxbus verify FILE`: is this bundle what was sealed? */
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Effect from "effect/Effect"
import { resolve } from "node:path"
import { ownPublicKey } from "../../actors/bundler/SealKey.ts"
import { verifyBundle } from "../../actors/bundler/Verify.ts"
import { Settings } from "../../kernel/Settings.ts"
import { jsonFlag, printJson, printLine } from "../Output.ts"

export const verify = Command.make(
  "verify",
  { file: Argument.String("file").pipe(Argument.withDescription("A .vtb bundle")), json: jsonFlag },
  Effect.fn(function* ({ file, json }) {
    const { home } = yield* Settings
    const own = yield* ownPublicKey(home)
    const result = yield* verifyBundle(resolve(file), own === undefined ? {} : { ownKey: own })
    if (!result.ok) process.exitCode = 1
    if (json) return yield* printJson(result)
    yield* printLine(
      [
        ...result.checked.map((check) => `  ok    ${check}`),
        ...result.problems.map((problem) => `  FAIL  ${problem}`),
        result.ok ? `${file}: intact` : `${file}: NOT what was sealed`
      ].join("\n")
    )
  })
).pipe(
  Command.withDescription("Check a bundle: hashes, event chain, seal, every byte"),
  Command.withExamples([
    {
      command: "voxbus verify output/20260101_120000_T-42/20260101_120000_T-42.vtb --json",
      description: "Exit code 0 when intact, 1 when not"
    }
  ])
)
