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
import { describe, Retryable, systemCode, Terminal } from "../kernel/Failure.ts"
import { logFromEnvironment } from "../kernel/Log.ts"
import { Models } from "../kernel/Models.ts"
import { Settings } from "../kernel/Settings.ts"
import { VERSION } from "./commands/version.ts"
import { fail } from "./Output.ts"

const settings = (overrides: Record<string, unknown> = {}) => Models.layer.pipe(Layer.provideMerge(Settings.layer(overrides)))

/** A file that is not valid must not keep the command away that repairs it. */
const forConfig = Models.layer.pipe(Layer.provideMerge(Settings.layerForRepair))

const flagsOfStart = (input: {
  readonly port: Option.Option<number>
  readonly wyoming: Option.Option<number>
  readonly offline: boolean
  readonly noUiOpen: boolean
  readonly json: boolean
}) =>
  settings({
    gateway: {
      ...(Option.isSome(input.port) ? { port: input.port.value } : {}),
      ...(Option.isSome(input.wyoming) ? { wyoming: { port: input.wyoming.value } } : {})
    },
    ...(input.offline ? { host: { offline: true } } : {})
  })

/** Each command's code is loaded when it is called. */
const commands = {
  start: async () => (await import("./commands/start.ts")).start.pipe(Command.provide(flagsOfStart)),
  demo: async () => (await import("./commands/demo.ts")).demo.pipe(Command.provide(settings())),
  transcribe: async () => (await import("./commands/transcribe.ts")).transcribe.pipe(Command.provide(settings())),
  record: async () => (await import("./commands/record.ts")).record.pipe(Command.provide(settings())),
  devices: async () => (await import("./commands/devices.ts")).devices.pipe(Command.provide(settings())),
  calls: async () => (await import("./commands/calls.ts")).calls.pipe(Command.provide(settings())),
  import: async () => (await import("./commands/import.ts")).importFiles.pipe(Command.provide(settings())),
  jobs: async () => (await import("./commands/jobs.ts")).jobs.pipe(Command.provide(settings())),
  speakers: async () => (await import("./commands/speakers.ts")).speakers.pipe(Command.provide(settings())),
  ask: async () => (await import("./commands/ask.ts")).ask.pipe(Command.provide(settings())),
  chat: async () => (await import("./commands/chat.ts")).chat.pipe(Command.provide(settings())),
  talk: async () => (await import("./commands/talk.ts")).talk.pipe(Command.provide(settings())),
  open: async () => (await import("./commands/open.ts")).openCommand.pipe(Command.provide(settings())),
  token: async () => (await import("./commands/token.ts")).token.pipe(Command.provide(settings())),
  creds: async () => (await import("./commands/creds.ts")).creds.pipe(Command.provide(settings())),
  webhooks: async () => (await import("./commands/webhooks.ts")).webhooks.pipe(Command.provide(settings())),
  mcp: async () => (await import("./commands/mcp.ts")).mcp.pipe(Command.provide(settings())),
  audit: async () => (await import("./commands/audit.ts")).audit.pipe(Command.provide(settings())),
  events: async () => (await import("./commands/events.ts")).events.pipe(Command.provide(settings())),
  run: async () => (await import("./commands/run.ts")).run.pipe(Command.provide(settings())),
  status: async () => (await import("./commands/status.ts")).status.pipe(Command.provide(settings())),
  compare: async () => (await import("./commands/compare.ts")).compare.pipe(Command.provide(settings())),
  replace: async () => (await import("./commands/replace.ts")).replace.pipe(Command.provide(settings())),
  verify: async () => (await import("./commands/verify.ts")).verify.pipe(Command.provide(settings())),
  sessions: async () => (await import("./commands/sessions.ts")).sessions.pipe(Command.provide(settings())),
  search: async () => (await import("./commands/search.ts")).search.pipe(Command.provide(settings())),
  edit: async () => (await import("./commands/edit.ts")).edit.pipe(Command.provide(settings())),
  summarize: async () => (await import("./commands/summarize.ts")).summarize.pipe(Command.provide(settings())),
  export: async () => (await import("./commands/export.ts")).exportCommand.pipe(Command.provide(settings())),
  delete: async () => (await import("./commands/delete.ts")).deleteCommand.pipe(Command.provide(settings())),
  retention: async () => (await import("./commands/retention.ts")).retention.pipe(Command.provide(settings())),
  index: async () => (await import("./commands/indexCommand.ts")).index.pipe(Command.provide(settings())),
  dlq: async () => (await import("./commands/dlq.ts")).dlq.pipe(Command.provide(settings())),
  show: async () => (await import("./commands/show.ts")).show.pipe(Command.provide(settings())),
  replay: async () => (await import("./commands/replay.ts")).replay.pipe(Command.provide(settings())),
  retranscribe: async () => (await import("./commands/retranscribe.ts")).retranscribe.pipe(Command.provide(settings())),
  models: async () => (await import("./commands/models.ts")).models.pipe(Command.provide(settings())),
  config: async () => (await import("./commands/config.ts")).config.pipe(Command.provide(forConfig)),
  keys: async () => (await import("./commands/keys.ts")).keys.pipe(Command.provide(settings())),
  providers: async () => (await import("./commands/providers.ts")).providers.pipe(Command.provide(settings())),
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
          await commands.record(),
          await commands.devices(),
          await commands.calls(),
          await commands.import(),
          await commands.jobs(),
          await commands.speakers(),
          await commands.ask(),
          await commands.chat(),
          await commands.talk(),
          await commands.open(),
          await commands.token(),
          await commands.creds(),
          await commands.webhooks(),
          await commands.mcp(),
          await commands.audit(),
          await commands.events(),
          await commands.run(),
          await commands.status(),
          await commands.replace(),
          await commands.compare(),
          await commands.verify(),
          await commands.sessions(),
          await commands.search(),
          await commands.edit(),
          await commands.summarize(),
          await commands.export(),
          await commands.delete(),
          await commands.retention(),
          await commands.index(),
          await commands.show(),
          await commands.replay(),
          await commands.retranscribe(),
          await commands.dlq(),
          await commands.models(),
          await commands.config(),
          await commands.keys(),
          await commands.providers(),
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

// The reader of a pipe went away (`| head`): nobody wants the rest.
process.stdout.on("error", (cause) => process.exit(systemCode(cause) === "EPIPE" ? 0 : 5))

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
