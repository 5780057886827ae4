/** `voxbus run ACTOR`: one more worker of an actor, here or on another machine. */
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Option from "effect/Option"
import { NAMES } from "../Registry.ts"
import { runActor } from "../RunActor.ts"

export const run = Command.make(
  "run",
  {
    actor: Argument.Literals("actor", NAMES).pipe(Argument.withDescription(`One of: ${NAMES.join(", ")}`)),
    bus: Flag.String("bus").pipe(
      Flag.withDescription("nats://[user:password@]host:port; the instance on this home by default"),
      Flag.optional
    )
  },
  ({ actor, bus }) => runActor(actor, Option.getOrUndefined(bus))
).pipe(
  Command.withDescription("Run one more worker of an actor on a bus"),
  Command.withExamples([
    { command: "voxbus run transcriber", description: "A second transcriber beside `voxbus start`: they share the work" },
    { command: "voxbus run transcriber --bus nats://transcriber:SECRET@10.0.0.5:4222", description: "A worker on another machine" }
  ])
)
