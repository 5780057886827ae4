/**
 * One actor in this process, until it is told to leave: what `voxbus run` and the launcher's own child processes do.
 */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { Terminal } from "../kernel/Failure.ts"
import { reportCounts } from "../kernel/Counts.ts"
import { report } from "../kernel/Health.ts"
import { hostCores } from "../kernel/HostCores.ts"
import { credentials, OPERATOR } from "../kernel/nats/Credentials.ts"
import { networkPolicy, refuseFar } from "../kernel/Network.ts"
import { Settings } from "../kernel/Settings.ts"
import { telemetry } from "../kernel/Telemetry.ts"
import { addressOf, busLayer, credentialsFile } from "./BusAccess.ts"
import { findInstance } from "./Instance.ts"
import { ACTORS } from "./Registry.ts"
import type { Override } from "./replay/Override.ts"
import { shadowServices } from "./shadow/Services.ts"

/** @param user of the instance on this home */
const findBus = Effect.fnUntraced(function* (user: string, given: string | undefined) {
  const settings = yield* Settings
  const own = process.env["VOXBUS_INSTANCE_BUS"] ?? findInstance(settings.home)?.busUrl ?? ""
  const address = given ?? (settings.bus.url || own)
  if (address === "") {
    return yield* new Terminal({
      code: "bus.unavailable",
      message: `No Voxbus runs on ${settings.home}. Start one with \`npx voxbus start\`, or name a bus with --bus.`
    })
  }
  const parsed = yield* addressOf(address, settings)
  if (given === undefined && settings.bus.url !== "") return parsed
  if (parsed.user !== undefined || parsed.credentialsFile !== undefined || parsed.url !== own) return parsed
  const users = yield* credentials(credentialsFile(settings.home), [user])
  return { ...parsed, user, password: users[user] ?? "" }
})

export interface RunOptions {
  /** `nats://[user:password@]host:port`; the instance on this home when absent. */
  readonly bus?: string | undefined
  /** Works beside the actor on the same input; what it makes goes to the stream `SHADOW`. */
  readonly shadow?: Override
  /** Runs when the actor takes events. */
  readonly ready?: Effect.Effect<void>
}

export const runActor = Effect.fnUntraced(function* (actor: string, options: RunOptions) {
  const settings = yield* Settings
  yield* networkPolicy(settings.host.offline)
  const entry = ACTORS.find((each) => each.name === actor)
  if (entry === undefined) return yield* new Terminal({ code: "command.usage", message: `There is no actor called ${actor}.` })
  const loading = entry.load()
  const { shadow } = options
  const address = yield* findBus(shadow === undefined ? actor : OPERATOR, options.bus)
  if (settings.host.offline) yield* refuseFar(address.url)
  const services = yield* Layer.build(Layer.mergeAll(busLayer({ ...address, name: actor }), hostCores, telemetry(actor)))
  const base = shadow === undefined ? services : yield* shadowServices(actor, shadow).pipe(Effect.provide(services))
  const loaded = yield* Effect.promise(() => loading)
  const work = Effect.gen(function* () {
    const running = yield* loaded
      .start(settings.bus.ackWaitMs, shadow === undefined ? undefined : { override: shadow })
      .pipe(Effect.tapError((failure) => report(actor, "down", `${failure.message} [${failure.code}]`)))
    yield* report(actor, "ready")
    // What a shadow does is not the actor's.
    if (shadow === undefined) yield* reportCounts
    yield* options.ready ?? Effect.void
    yield* Effect.logInfo("ready").pipe(Effect.annotateLogs({ actor, bus: address.url }))
    // On SIGTERM: take nothing new, finish what is held, leave.
    yield* Effect.never.pipe(Effect.ensuring(running.drain.pipe(Effect.timeoutOption("10 seconds"))))
  })
  yield* work.pipe(Effect.provide(base))
}, Effect.scoped)
