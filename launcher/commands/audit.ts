/** `voxbus audit`: who changed what. */
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Effect from "effect/Effect"
import { ListAudit } from "../../contract/AuditCommands.ts"
import { invoke } from "../Invoke.ts"
import { jsonFlag, printJson, printLine } from "../Output.ts"

export const audit = Command.make(
  "audit",
  {
    limit: Flag.Int("limit").pipe(Flag.withAlias("n"), Flag.withDescription("How many, the newest first"), Flag.withDefault(100)),
    json: jsonFlag
  },
  Effect.fn(function* ({ limit, json }) {
    const { records } = yield* invoke(ListAudit, { limit })
    for (const record of records)
      yield* json
        ? printJson(record)
        : printLine(
            `${record.at}  ${record.who.padEnd(16)} ${record.command.padEnd(24)} ${record.outcome.padEnd(16)} ${record.session ?? ""}`
          )
  }, Effect.scoped)
).pipe(Command.withDescription("Print who changed what, the newest first"))
