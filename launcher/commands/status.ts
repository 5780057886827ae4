/** `voxbus status`: each actor of the running instance, and how much work waits for it. */
import * as Command from "effect/cli/Command"
import * as Effect from "effect/Effect"
import { type ActorStatus, ActorsStatus } from "../../contract/ActorCommands.ts"
import { lagOf } from "../../kernel/Lag.ts"
import { invoke } from "../Invoke.ts"
import { jsonFlag, printJson, printLine } from "../Output.ts"

const HEAD = ["actor", "health", "process", "restarts", "waiting", "in work", "oldest", ""]

const row = ({ actor, health, detail, processes, restarts, level, lanes }: ActorStatus): ReadonlyArray<string> => {
  const { pending, inFlight, oldestMs } = lagOf(lanes)
  return [
    actor,
    health,
    processes.join(","),
    String(restarts),
    String(pending),
    String(inFlight),
    oldestMs === 0 ? "" : `${(oldestMs / 1000).toFixed(1)} s`,
    level === "ok" ? detail : level
  ]
}

const table = (rows: ReadonlyArray<ReadonlyArray<string>>): string =>
  rows
    .map((cells) =>
      cells
        .map((cell, column) => cell.padEnd(Math.max(...rows.map((each) => each[column]?.length ?? 0))))
        .join("  ")
        .trimEnd()
    )
    .join("\n")

export const status = Command.make(
  "status",
  { json: jsonFlag },
  Effect.fn(function* ({ json }) {
    const { actors } = yield* invoke(ActorsStatus, {})
    if (json) return yield* Effect.forEach(actors, printJson, { discard: true })
    yield* printLine(table([HEAD, ...actors.map(row)]))
  }, Effect.scoped)
).pipe(Command.withDescription("Show each actor: its health, its processes and how much work waits for it"))
