/**
 * Everything of one machine: nats-server, the streams, the actors in this process and in processes of their own, the
 * gateway. `voxbus start` runs all of it, `voxbus transcribe` without a running instance only the actors of a call.
 */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Queue from "effect/Queue"
import * as Schedule from "effect/Schedule"
import * as Context from "effect/Context"
import type * as Scope from "effect/Scope"
import { join } from "node:path"
import { Detection, Recordings } from "../actors/capture/index.ts"
import { Webhooks } from "../gateway/webhooks/Webhooks.ts"
import { Bus } from "../kernel/Bus.ts"
import { serve } from "../kernel/Commands.ts"
import { reportCounts } from "../kernel/Counts.ts"
import { decode } from "../kernel/Envelope.ts"
import { type Failure, Terminal } from "../kernel/Failure.ts"
import { report } from "../kernel/Health.ts"
import { hostCores } from "../kernel/HostCores.ts"
import { watchLag } from "../kernel/Lag.ts"
import { Models } from "../kernel/Models.ts"
import { networkPolicy, refuseFar } from "../kernel/Network.ts"
import { credentials, OPERATOR, permissionsOf } from "../kernel/nats/Credentials.ts"
import { issuedUsers, ownActors, serverUsers } from "../kernel/nats/IssuedUsers.ts"
import { NatsServer } from "../kernel/nats/Server.ts"
import { consumersOf, type Running } from "../kernel/Runtime.ts"
import { Settings } from "../kernel/Settings.ts"
import { telemetry } from "../kernel/Telemetry.ts"
import { addressOf, busLayer, credentialsFile } from "./BusAccess.ts"
import { BusUsers } from "./BusUsers.ts"
import { Fleet, makeFleet } from "./Fleet.ts"
import type { Served } from "./Handlers.ts"
import { takeHome } from "./Instance.ts"
import { Library } from "../library/Library.ts"
import { keepHouse } from "./Housekeeping.ts"
import { type Base, type Entry, loadAll, type Loaded, NAMES } from "./Registry.ts"

export interface HostOptions {
  readonly kind: "start" | "command"
  /** Names of the actors to run; none for a command that only reads the log. */
  readonly actors: ReadonlyArray<string>
  /** The gateway, when there is to be one. */
  readonly gateway?: Effect.Effect<{ readonly url: string }, Failure, Base | Recordings | Scope.Scope>
  /** Answer commands; a `start` always does. */
  readonly serves?: boolean
}

export interface Host {
  readonly busUrl: string
  readonly gatewayUrl: string
  readonly services: Context.Context<Served>
  /** Actors that did not come up, with what to do. Everything else works. */
  readonly down: ReadonlyArray<{ readonly actor: string; readonly detail: string }>
  readonly drain: Effect.Effect<void>
}

/** How long an actor may take to load its model. */
const PREPARE = "90 seconds"

/** Waits until each of the actors has said that it is ready or why it is not. */
const awaitHealth = Effect.fnUntraced(function* (names: ReadonlyArray<string>) {
  const bus = yield* Bus
  if (names.length === 0) return []
  const states = Effect.gen(function* () {
    const records = yield* bus.last("HOST", ["health.changed.host.>"])
    const events = yield* Effect.forEach(records, decode)
    return events.flatMap((event) =>
      event._tag === "health.changed" && names.includes(event.actor) && event.status !== "starting" ? [event] : []
    )
  })
  const settled = yield* states.pipe(
    Effect.repeat({ until: (known) => known.length === names.length, schedule: Schedule.spaced("20 millis") }),
    Effect.timeoutOption(PREPARE)
  )
  const known = settled._tag === "Some" ? settled.value : yield* states
  return names.flatMap((actor) => {
    const state = known.find((event) => event.actor === actor)
    if (state === undefined) return [{ actor, detail: `did not become ready within ${PREPARE}` }]
    return state.status === "down" ? [{ actor, detail: state.detail }] : []
  })
})

/** Starts the embedded server, unless the settings point at a bus that runs elsewhere. */
const openBus = Effect.fnUntraced(function* (actors: ReadonlyArray<Entry & Loaded>) {
  const settings = yield* Settings
  if (settings.bus.url !== "") {
    if (settings.host.offline) yield* refuseFar(settings.bus.url)
    const address = yield* addressOf(settings.bus.url, settings)
    const apply = new Terminal({
      code: "input.invalid",
      message: `The bus at ${address.url} is not run by Voxbus: whoever runs it makes its users.`
    })
    return { url: address.url, layer: busLayer({ ...address, name: "voxbus" }), ended: Effect.never, apply: Effect.fail(apply) }
  }
  const passwords = yield* credentials(credentialsFile(settings.home), [OPERATOR, ...NAMES])
  const binary = (yield* (yield* Models).locate("nats-server")).path("binary")
  const password = (name: string) => passwords[name] ?? ""
  const users = Effect.map(issuedUsers(settings.home), (issued) => [
    { name: OPERATOR, password: password(OPERATOR) },
    ...actors.map(({ name, declaration }) => ({ name, password: password(name), permissions: permissionsOf(declaration) })),
    ...serverUsers(
      issued,
      actors.map(({ declaration }) => declaration)
    )
  ])
  const services = yield* Layer.build(NatsServer.layer({ binary, folder: join(settings.home, "nats"), users: yield* users }))
  const { url, ended, reload } = Context.get(services, NatsServer)
  return {
    url,
    ended: Queue.take(ended),
    apply: Effect.flatMap(users, reload),
    layer: busLayer({ url, user: OPERATOR, password: password(OPERATOR), name: "voxbus" })
  }
})

/** Serves the commands, takes up cut-off recordings and opens the gateway; returns its address, or nothing. */
const open = Effect.fnUntraced(function* ({ kind, gateway, serves = kind === "start" }: HostOptions) {
  if (!serves && gateway === undefined) return ""
  const { HANDLERS, shared } = yield* Effect.promise(() => import("./Handlers.ts"))
  const services = yield* Layer.build(shared)
  return yield* Effect.gen(function* () {
    yield* serve(HANDLERS)
    yield* Context.get(services, Recordings).recover
    if (kind === "start") yield* Context.get(services, Webhooks).run
    if (kind === "start") yield* Effect.forkScoped(Context.get(services, Detection).run)
    return gateway === undefined ? "" : (yield* gateway).url
  }).pipe(Effect.provide(services))
})

/** Starts what `options` names, in the current scope. */
export const startHost = Effect.fnUntraced(function* (options: HostOptions) {
  const settings = yield* Settings
  yield* networkPolicy(settings.host.offline)
  const own = yield* takeHome(settings.home, options.kind)
  const actors = yield* loadAll
  const { url, layer, ended, apply } = yield* openBus(actors)
  const services = yield* Layer.build(Layer.mergeAll(Library.layer, hostCores, telemetry("launcher")).pipe(Layer.provideMerge(layer))).pipe(
    Effect.map((built) => Context.merge(built, Context.make(Settings, settings))),
    Effect.flatMap((built) => Effect.map(Models, (models) => Context.add(built, Models, models)))
  )
  const run = Effect.gen(function* () {
    const bus = yield* Bus
    const ackWaitMs = settings.bus.ackWaitMs
    const chosen = actors.filter(({ name }) => options.actors.includes(name))
    const environment = {
      VOXBUS_INSTANCE_BUS: url,
      VOXBUS_OFFLINE: String(settings.host.offline),
      // A command's own output stays readable: its workers report only what goes wrong.
      ...(options.kind === "command" && process.env["VOXBUS_LOG_LEVEL"] === undefined ? { VOXBUS_LOG_LEVEL: "warning" } : {})
    }
    const apart = (each: Entry) => settings.host.isolate === "all" || (settings.host.isolate === "native" && each.native)
    const names = (which: ReadonlyArray<Entry>) => which.map(({ name }) => name)
    const fleet = yield* makeFleet({
      apart: names(chosen.filter(apart)),
      inside: names(chosen.filter((each) => !apart(each))),
      environment,
      onDown: (actor, reason) => report(actor, "down", reason).pipe(Effect.provideService(Bus, bus))
    })
    const served = services.pipe(Context.add(Fleet, fleet), Context.add(BusUsers, { apply, url }))
    // Meanwhile the processes load their models; they wait for their consumers.
    const provision = bus.provision({
      keepConversations: settings.privacy.keepConversations,
      consumers: [...actors.map(({ declaration }) => declaration), ...ownActors(yield* issuedUsers(settings.home))].flatMap((each) =>
        consumersOf(each, ackWaitMs)
      )
    })
    yield* provision
    // A server that was killed comes back without its streams in memory: conversations, frames, health.
    yield* Effect.forever(ended.pipe(Effect.andThen(provision.pipe(Effect.retry(Schedule.spaced("100 millis")))))).pipe(Effect.forkScoped)
    const running: ReadonlyArray<Running> = yield* Effect.forEach(
      chosen.filter((each) => !apart(each)),
      (each) => each.start(ackWaitMs).pipe(Effect.tap(() => report(each.name, "ready"))),
      { concurrency: "unbounded" }
    )
    if (options.kind === "start") {
      yield* Effect.forkScoped(keepHouse)
      yield* reportCounts
      yield* watchLag(actors.map(({ declaration }) => declaration)).pipe(Effect.forkScoped)
      const { monitorProviders } = yield* Effect.promise(() => import("./Monitor.ts"))
      yield* Effect.forkScoped(monitorProviders)
    }
    const gatewayUrl = yield* open(options).pipe(Effect.provide(served))
    yield* own.announce({ busUrl: url, gatewayUrl })
    const down = yield* awaitHealth(chosen.map(({ name }) => name))
    const host: Host = {
      busUrl: url,
      gatewayUrl,
      services: served,
      down,
      drain: Effect.forEach(running, (each) => each.drain, { concurrency: "unbounded", discard: true }).pipe(
        Effect.timeoutOption("10 seconds"),
        Effect.asVoid
      )
    }
    return host
  })
  return yield* run.pipe(Effect.provide(services))
})

/** What a host says when part of it is missing and a command needs it. */
export const downFailure = (down: Host["down"]): Failure =>
  new Terminal({ code: "instance.failed", message: down.map(({ actor, detail }) => `${actor}: ${detail}`).join("; ") })
