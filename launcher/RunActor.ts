/**
 * One actor in this process, until it is told to leave: what `voxbus run` and the launcher's own child processes do.
 */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { Terminal } from "../kernel/Failure.ts"
import { report } from "../kernel/Health.ts"
import { hostCores } from "../kernel/HostCores.ts"
import { credentials } from "../kernel/nats/Credentials.ts"
import { networkPolicy } from "../kernel/Network.ts"
import { Settings } from "../kernel/Settings.ts"
import { busLayer, credentialsFile } from "./BusAccess.ts"
import { findInstance } from "./Instance.ts"
import { ACTORS } from "./Registry.ts"

/** User and password in a bus address, `nats://user:password@host:port`. */
const parseAddress = (address: string) => {
  const url = new URL(address)
  return {
    url: `${url.protocol}//${url.host}`,
    ...(url.username === "" ? {} : { user: decodeURIComponent(url.username), password: decodeURIComponent(url.password) })
  }
}

const addressOf = Effect.fnUntraced(function* (actor: string, given: string | undefined) {
  const settings = yield* Settings
  const own = process.env["VOXBUS_INSTANCE_BUS"] ?? findInstance(settings.home)?.busUrl ?? ""
  const address = given ?? (settings.bus.url || own)
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
  if ("user" in parsed || parsed.url !== own) return parsed
  const users = yield* credentials(credentialsFile(settings.home), [actor])
  return { ...parsed, user: actor, password: users[actor] ?? "" }
})

/** @param bus `nats://[user:password@]host:port`; the instance on this home when absent */
export const runActor = Effect.fnUntraced(function* (actor: string, bus: string | undefined) {
  const settings = yield* Settings
  yield* networkPolicy(settings.host.offline)
  const entry = ACTORS.find((each) => each.name === actor)
  if (entry === undefined) return yield* new Terminal({ code: "command.usage", message: `There is no actor called ${actor}.` })
  const loading = entry.load()
  const address = yield* addressOf(actor, bus)
  const base = yield* Layer.build(Layer.mergeAll(busLayer({ ...address, name: actor }), hostCores))
  const loaded = yield* Effect.promise(() => loading)
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
