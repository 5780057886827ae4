/** `voxbus retention`: what the rules would let go; with `--apply`, they do. */
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Effect from "effect/Effect"
import { RunRetention } from "../../contract/SessionCommands.ts"
import { Settings } from "../../kernel/Settings.ts"
import { hasRules } from "../../library/Retention.ts"
import { invoke } from "../Invoke.ts"
import { jsonFlag, note, printJson, printLine } from "../Output.ts"

const WHY = { age: "too old", count: "too many calls", size: "too much together" }

export const retention = Command.make(
  "retention",
  { apply: Flag.Boolean("apply").pipe(Flag.withDescription("Delete them"), Flag.withDefault(false)), json: jsonFlag },
  Effect.fn(function* ({ apply, json }) {
    const { retention: rules } = yield* Settings
    const reply = yield* invoke(RunRetention, { apply })
    if (json) return yield* printJson(reply)
    if (!hasRules(rules)) yield* note("No rule is set here: VOXBUS_RETENTION_DAYS, VOXBUS_RETENTION_CALLS, VOXBUS_RETENTION_GIGABYTES.")
    if (reply.sessions.length === 0) return yield* note("Nothing is to go.")
    yield* printLine(
      reply.sessions
        .map(
          ({ session, title, bytes, rule }) => `${session}  ${(bytes / 1e6).toFixed(1).padStart(8)} MB  ${WHY[rule].padEnd(17)}  ${title}`
        )
        .join("\n")
    )
    yield* note(apply ? "Erased." : "This is a dry run; erase them with --apply.")
  }, Effect.scoped)
).pipe(Command.withDescription("Finished calls that the retention rules no longer keep; a dry run unless --apply"))
