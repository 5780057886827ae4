/**
 * The `voxbus` command. `voxbus.mjs` runs it under the pinned Node after the set-up.
 *
 * Each command gets its settings (file, environment, flags), logs go to standard error, and a failure ends with the
 * exit code of the error table.
 */
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as NodeServices from "@effect/platform-node/NodeServices"
import * as Command from "effect/cli/Command"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import { describe, Retryable, Terminal } from "../kernel/Failure.ts"
import { logFromEnvironment } from "../kernel/Log.ts"
import { Models } from "../kernel/Models.ts"
import { Settings } from "../kernel/Settings.ts"
import { VERSION } from "./commands/version.ts"
import { fail } from "./Output.ts"

const settings = (overrides: Record<string, unknown> = {}) => Models.layer.pipe(Layer.provideMerge(Settings.layer(overrides)))

const flagsOfStart = (input: {
  readonly port: Option.Option<number>
  readonly offline: boolean
  readonly noUiOpen: boolean
  readonly json: boolean
}) =>
  settings({
    ...(Option.isSome(input.port) ? { gateway: { port: input.port.value } } : {}),
    ...(input.offline ? { host: { offline: true } } : {})
  })

/** Each command's code is loaded when it is called. */
const commands = {
  start: async () => (await import("./commands/start.ts")).start.pipe(Command.provide(flagsOfStart)),
  demo: async () => (await import("./commands/demo.ts")).demo.pipe(Command.provide(settings())),
  transcribe: async () => (await import("./commands/transcribe.ts")).transcribe.pipe(Command.provide(settings())),
  ask: async () => (await import("./commands/ask.ts")).ask.pipe(Command.provide(settings())),
  events: async () => (await import("./commands/events.ts")).events.pipe(Command.provide(settings())),
  run: async () => (await import("./commands/run.ts")).run.pipe(Command.provide(settings())),
  verify: async () => (await import("./commands/verify.ts")).verify.pipe(Command.provide(settings())),
  models: async () => (await import("./commands/models.ts")).models.pipe(Command.provide(settings())),
  doctor: async () => (await import("./commands/doctor.ts")).doctor.pipe(Command.provide(settings())),
  version: async () => (await import("./commands/version.ts")).version
}

const root = Command.make("voxbus").pipe(
  Command.withDescription("Local-first voice: a push-to-talk assistant and a call transcriber on one durable event bus")
)

/** One command's program; all of them when none is named, for the help. */
const programs = {
  start: async () => Command.run(root.pipe(Command.withSubcommands([await commands.start()])), { version: VERSION }),
  demo: async () => Command.run(root.pipe(Command.withSubcommands([await commands.demo()])), { version: VERSION }),
  transcribe: async () => Command.run(root.pipe(Command.withSubcommands([await commands.transcribe()])), { version: VERSION }),
  run: async () => Command.run(root.pipe(Command.withSubcommands([await commands.run()])), { version: VERSION }),
  verify: async () => Command.run(root.pipe(Command.withSubcommands([await commands.verify()])), { version: VERSION }),
  help: async () =>
    Command.run(
      root.pipe(
        Command.withSubcommands([
          await commands.start(),
          await commands.demo(),
          await commands.transcribe(),
          await commands.ask(),
          await commands.events(),
          await commands.run(),
          await commands.verify(),
          await commands.models(),
          await commands.doctor(),
          await commands.version()
        ])
      ),
      { version: VERSION }
    )
}
const isProgram = (name: string): name is keyof typeof programs => name in programs

// Started by voxbus.mjs on an older Node: end as Ctrl-C would when that process is killed.
if (process.channel !== undefined) {
  process.channel.unref()
  process.once("disconnect", () => process.kill(process.pid, "SIGTERM"))
}

const called = process.argv[2] ?? ""
/** Long-running commands log what they do, the others only what goes wrong. */
const chatty = ["start", "run"].includes(called)
const report = (cause: Cause.Cause<unknown>) => {
  if (Cause.hasInterruptsOnly(cause)) return Effect.void
  const error = Option.getOrUndefined(Cause.findErrorOption(cause))
  if (error instanceof Terminal || error instanceof Retryable) return fail(error)
  // The command-line library has printed its usage errors already.
  if (typeof error === "object" && error !== null && "_tag" in error) return Effect.sync(() => void (process.exitCode = 2))
  return fail(new Terminal({ code: "internal", message: describe(Cause.squash(cause)), cause: Cause.squash(cause) }))
}

const program: Effect.Effect<void, unknown, NodeServices.NodeServices> = await programs[isProgram(called) ? called : "help"]()

program.pipe(
  Effect.catchCause(report),
  Effect.provide(Layer.merge(NodeServices.layer, logFromEnvironment(chatty ? "Info" : "Warn"))),
  NodeRuntime.runMain({ disableErrorReporting: true })
)
