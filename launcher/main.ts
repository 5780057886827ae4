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
import { logLayer } from "../kernel/Log.ts"
import { Models } from "../kernel/Models.ts"
import { Settings } from "../kernel/Settings.ts"
import { ask } from "./commands/ask.ts"
import { demo } from "./commands/demo.ts"
import { doctor } from "./commands/doctor.ts"
import { events } from "./commands/events.ts"
import { models } from "./commands/models.ts"
import { run } from "./commands/run.ts"
import { start } from "./commands/start.ts"
import { transcribe } from "./commands/transcribe.ts"
import { verify } from "./commands/verify.ts"
import { VERSION, version } from "./commands/version.ts"
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

const voxbus = Command.make("voxbus").pipe(
  Command.withDescription("Local-first voice: a push-to-talk assistant and a call transcriber on one durable event bus"),
  Command.withSubcommands([
    start.pipe(Command.provide(flagsOfStart)),
    demo.pipe(Command.provide(settings())),
    transcribe.pipe(Command.provide(settings())),
    ask.pipe(Command.provide(settings())),
    events.pipe(Command.provide(settings())),
    run.pipe(Command.provide(settings())),
    verify.pipe(Command.provide(settings())),
    models.pipe(Command.provide(settings())),
    doctor.pipe(Command.provide(settings())),
    version
  ])
)

/** Long-running commands log what they do, the others only what goes wrong. */
const chatty = ["start", "run"].includes(process.argv[2] ?? "")
const level = process.env["VOXBUS_LOG_LEVEL"]
const format = process.env["VOXBUS_LOG_FORMAT"] === "json" ? "json" : "text"
const levels = { debug: "Debug", info: "Info", warning: "Warn", error: "Error", none: "None" } as const
const isLevel = (name: string): name is keyof typeof levels => name in levels

const report = (cause: Cause.Cause<unknown>) => {
  if (Cause.hasInterruptsOnly(cause)) return Effect.void
  const error = Option.getOrUndefined(Cause.findErrorOption(cause))
  if (error instanceof Terminal || error instanceof Retryable) return fail(error)
  // The command-line library has printed its usage errors already.
  if (typeof error === "object" && error !== null && "_tag" in error) return Effect.sync(() => void (process.exitCode = 2))
  return fail(new Terminal({ code: "internal", message: describe(Cause.squash(cause)), cause: Cause.squash(cause) }))
}

voxbus.pipe(
  Command.run({ version: VERSION }),
  Effect.catchCause(report),
  Effect.provide(
    Layer.merge(NodeServices.layer, logLayer(level !== undefined && isLevel(level) ? levels[level] : chatty ? "Info" : "Warn", format))
  ),
  NodeRuntime.runMain({ disableErrorReporting: true })
)
