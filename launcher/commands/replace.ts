/** `voxbus replace ACTOR`: a new process of an actor takes over from the old one while work goes on. */
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Effect from "effect/Effect"
import { ReplaceActor } from "../../contract/ActorCommands.ts"
import { Terminal } from "../../kernel/Failure.ts"
import { Settings } from "../../kernel/Settings.ts"
import { findInstance } from "../Instance.ts"
import { invoke } from "../Invoke.ts"
import { jsonFlag, printJson, printLine } from "../Output.ts"
import { NAMES } from "../Registry.ts"

export const replace = Command.make(
  "replace",
  { actor: Argument.Literals("actor", NAMES).pipe(Argument.withDescription(`One of: ${NAMES.join(", ")}`)), json: jsonFlag },
  Effect.fn(function* ({ actor, json }) {
    const { home } = yield* Settings
    if (findInstance(home)?.kind !== "start") {
      return yield* new Terminal({ code: "bus.unavailable", message: `No Voxbus runs on ${home}: there is nothing to replace.` })
    }
    const done = yield* invoke(ReplaceActor, { actor })
    yield* json
      ? printJson(done)
      : printLine(
          `${actor}: process ${done.to} was ready after ${(done.readyMs / 1000).toFixed(1)} s; process ${done.from} finished its work and left ${(done.leftMs / 1000).toFixed(1)} s later.`
        )
  }, Effect.scoped)
).pipe(
  Command.withDescription("Replace the process of an actor while it works: nothing is lost, nothing waits"),
  Command.withExamples([{ command: "voxbus replace transcriber", description: "After an update of the code, of a model or of a setting" }])
)
