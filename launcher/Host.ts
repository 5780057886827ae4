/**
 * Everything of one machine: nats-server, the streams, the actors in this process and in processes of their own, the
 * gateway. `voxbus start` runs all of it, `voxbus transcribe` without a running instance only the actors of a call.
 */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schedule from "effect/Schedule"
import * as Context from "effect/Context"
import type * as Scope from "effect/Scope"
import { join } from "node:path"
import { Bus } from "../kernel/Bus.ts"
import { decode } from "../kernel/Envelope.ts"
import { type Failure, Terminal } from "../kernel/Failure.ts"
import { report } from "../kernel/Health.ts"
import { hostCores } from "../kernel/HostCores.ts"
import { Models } from "../kernel/Models.ts"
import { networkPolicy } from "../kernel/Network.ts"
import { credentials, OPERATOR, permissionsOf } from "../kernel/nats/Credentials.ts"
import { NatsServer } from "../kernel/nats/Server.ts"
import { consumersOf, type Running } from "../kernel/Runtime.ts"
import { Settings } from "../kernel/Settings.ts"
import { supervise } from "./ActorProcess.ts"
import { busLayer, credentialsFile } from "./BusAccess.ts"
import { takeHome } from "./Instance.ts"
import { type Base, type Entry, loadAll, type Loaded, NAMES } from "./Registry.ts"

export interface HostOptions {
  readonly kind: "start" | "command"
  /** Names of the actors to run; none for a command that only reads the log. */
  readonly actors: ReadonlyArray<string>
  /** The gateway, when there is to be one: returns its address. */
  readonly gateway?: Effect.Effect<string, Failure, Base | Scope.Scope>
}

export interface Host {
  readonly busUrl: string
  readonly gatewayUrl: string
  readonly services: Context.Context<Base>
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
  if (settings.bus.url !== "") return { url: settings.bus.url, layer: busLayer({ url: settings.bus.url, name: "voxbus" }) }
  const passwords = yield* credentials(credentialsFile(settings.home), [OPERATOR, ...NAMES])
  const binary = (yield* (yield* Models).locate("nats-server")).path("binary")
  const password = (name: string) => passwords[name] ?? ""
  const services = yield* Layer.build(
    NatsServer.layer({
      binary,
      folder: join(settings.home, "nats"),
      users: [
        { name: OPERATOR, password: password(OPERATOR) },
        ...actors.map(({ name, declaration }) => ({ name, password: password(name), permissions: permissionsOf(declaration) }))
      ]
    })
  )
  const { url } = Context.get(services, NatsServer)
  return { url, layer: busLayer({ url, user: OPERATOR, password: password(OPERATOR), name: "voxbus" }) }
})

/** Starts what `options` names, in the current scope. */
export const startHost = Effect.fnUntraced(function* (options: HostOptions) {
  const settings = yield* Settings
  yield* networkPolicy(settings.host.offline)
  const own = yield* takeHome(settings.home, options.kind)
  const actors = yield* loadAll
  const { url, layer } = yield* openBus(actors)
  const services = yield* Layer.build(Layer.mergeAll(layer, hostCores)).pipe(
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
    yield* Effect.forEach(chosen.filter(apart), (each) =>
      supervise(each.name, environment, (reason) => report(each.name, "down", reason).pipe(Effect.provideService(Bus, bus))).pipe(
        Effect.forkScoped
      )
    )
    // Meanwhile the processes load their models; they wait for their consumers.
    yield* bus.provision({
      keepConversations: settings.privacy.keepConversations,
      consumers: actors.flatMap((each) => consumersOf(each.declaration, ackWaitMs))
    })
    const running: ReadonlyArray<Running> = yield* Effect.forEach(
      chosen.filter((each) => !apart(each)),
      (each) => each.start(ackWaitMs).pipe(Effect.tap(() => report(each.name, "ready"))),
      { concurrency: "unbounded" }
    )
    const gatewayUrl = options.gateway === undefined ? "" : yield* options.gateway
    yield* own.announce({ busUrl: url, gatewayUrl })
    const down = yield* awaitHealth(chosen.map(({ name }) => name))
    const host: Host = {
      busUrl: url,
      gatewayUrl,
      services,
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
