/** `voxbus index rebuild`: the search index made anew from the log. */
import * as Command from "effect/cli/Command"
import * as Effect from "effect/Effect"
import { RebuildIndex } from "../../contract/SessionCommands.ts"
import { invoke } from "../Invoke.ts"
import { jsonFlag, printJson, printLine } from "../Output.ts"

const rebuild = Command.make(
  "rebuild",
  { json: jsonFlag },
  Effect.fn(function* ({ json }) {
    const reply = yield* invoke(RebuildIndex, {})
    yield* json ? printJson(reply) : printLine(`${reply.sessions} sessions, ${reply.segments} segments`)
  }, Effect.scoped)
).pipe(Command.withDescription("Make the search index anew from the log"))

export const index = Command.make("index").pipe(
  Command.withDescription("The search index: a projection of the log that can be deleted at any time"),
  Command.withSubcommands([rebuild])
)
