/** `voxbus run ACTOR`: one more worker of an actor, here or on another machine. */
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { Terminal } from "../../kernel/Failure.ts"
import { NAMES } from "../Registry.ts"
import { runActor } from "../RunActor.ts"

export const run = Command.make(
  "run",
  {
    actor: Argument.Literals("actor", NAMES).pipe(Argument.withDescription(`One of: ${NAMES.join(", ")}`)),
    bus: Flag.String("bus").pipe(
      Flag.withDescription("nats://[user:password@]host:port; the instance on this home by default"),
      Flag.optional
    ),
    shadow: Flag.Boolean("shadow").pipe(
      Flag.withDescription("Do the same work beside it, from now on; what comes of it is only compared (voxbus compare)"),
      Flag.withDefault(false)
    ),
    engine: Flag.String("engine").pipe(Flag.withDescription("Of the shadow: another engine"), Flag.optional),
    model: Flag.String("model").pipe(Flag.withDescription("Of the shadow: another model (or voice)"), Flag.optional)
  },
  Effect.fnUntraced(function* ({ actor, bus, shadow, engine, model }) {
    const override = {
      ...(Option.isSome(engine) ? { engine: engine.value } : {}),
      ...(Option.isSome(model) ? { model: model.value } : {})
    }
    if (!shadow && Object.keys(override).length > 0)
      return yield* new Terminal({ code: "command.usage", message: "--engine and --model are for a --shadow; a session has its own." })
    yield* runActor(actor, { bus: Option.getOrUndefined(bus), ...(shadow ? { shadow: override } : {}) })
  })
).pipe(
  Command.withDescription("Run one more worker of an actor on a bus"),
  Command.withExamples([
    { command: "voxbus run transcriber", description: "A second transcriber beside `voxbus start`: they share the work" },
    { command: "voxbus run transcriber --bus nats://transcriber:SECRET@10.0.0.5:4222", description: "A worker on another machine" },
    { command: "voxbus run transcriber --shadow --model whisper-tiny.en", description: "What would another model hear? See voxbus compare" }
  ])
)
