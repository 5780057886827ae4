/** `voxbus run ACTOR`: one more worker of an actor, here or on another machine. */
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import { Terminal } from "../../kernel/Failure.ts"
import { exitWithParent } from "../../kernel/Guard.ts"
import { report } from "../../kernel/Health.ts"
import { hostCores } from "../../kernel/HostCores.ts"
import { credentials } from "../../kernel/nats/Credentials.ts"
import { Settings } from "../../kernel/Settings.ts"
import { busLayer, credentialsFile } from "../BusAccess.ts"
import { findInstance } from "../Instance.ts"
import { ACTORS, NAMES } from "../Registry.ts"

/** User and password in a bus address, `nats://user:password@host:port`. */
const parseAddress = (address: string) => {
  const url = new URL(address)
  return {
    url: `${url.protocol}//${url.host}`,
    ...(url.username === "" ? {} : { user: decodeURIComponent(url.username), password: decodeURIComponent(url.password) })
  }
}

const addressOf = Effect.fnUntraced(function* (actor: string, given: Option.Option<string>) {
  const settings = yield* Settings
  const own = process.env["VOXBUS_INSTANCE_BUS"] ?? findInstance(settings.home)?.busUrl ?? ""
  const address = Option.getOrElse(given, () => settings.bus.url || own)
  if (address === "") {
    return yield* new Terminal({
      code: "bus.unavailable",
      message: `No Voxbus runs on ${settings.home}. Start one with \`npx voxbus start\`, or name a bus with --bus.`
    })
  }
  const parsed = yield* Effect.try({
    try: () => parseAddress(address),
    catch: (cause) => new Terminal({ code: "config.invalid", message: `${address} is not an address such as nats://host:4222.`, cause })
  })
  if ("user" in parsed || (address !== own && parsed.url !== own)) return parsed
  const users = yield* credentials(credentialsFile(settings.home), [actor])
  return { ...parsed, user: actor, password: users[actor] ?? "" }
})

export const run = Command.make(
  "run",
  {
    actor: Argument.Literals("actor", NAMES).pipe(Argument.withDescription(`One of: ${NAMES.join(", ")}`)),
    bus: Flag.String("bus").pipe(
      Flag.withDescription("nats://[user:password@]host:port; the instance on this home by default"),
      Flag.optional
    ),
    withParent: Flag.Boolean("with-parent").pipe(
      Flag.withDescription("End when standard input closes"),
      Flag.withDefault(false),
      Flag.withHidden
    )
  },
  Effect.fn(function* ({ actor, bus, withParent }) {
    if (withParent) exitWithParent()
    const settings = yield* Settings
    const entry = ACTORS.find((each) => each.name === actor)
    if (entry === undefined) return yield* new Terminal({ code: "command.usage", message: `There is no actor called ${actor}.` })
    const address = yield* addressOf(actor, bus)
    const base = yield* Layer.build(Layer.mergeAll(busLayer({ ...address, name: actor }), hostCores))
    const loaded = yield* Effect.promise(entry.load)
    const work = Effect.gen(function* () {
      const running = yield* loaded
        .start(settings.bus.ackWaitMs)
        .pipe(Effect.tapError((failure) => report(actor, "down", `${failure.message} [${failure.code}]`)))
      yield* report(actor, "ready")
      yield* Effect.logInfo("ready").pipe(Effect.annotateLogs({ actor, bus: address.url }))
      // On SIGTERM: take nothing new, finish what is held, leave.
      yield* Effect.never.pipe(Effect.ensuring(running.drain.pipe(Effect.timeoutOption("10 seconds"))))
    })
    yield* work.pipe(Effect.provide(base))
  }, Effect.scoped)
).pipe(
  Command.withDescription("Run one more worker of an actor on a bus"),
  Command.withExamples([
    { command: "voxbus run transcriber", description: "A second transcriber beside `voxbus start`: they share the work" },
    { command: "voxbus run transcriber --bus nats://transcriber:SECRET@10.0.0.5:4222", description: "A worker on another machine" }
  ])
)
