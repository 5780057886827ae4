/** `GET /health`: whether the actors of this installation work, as they last said themselves. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as HttpApi from "effect/http-api/HttpApi"
import * as HttpApiBuilder from "effect/http-api/HttpApiBuilder"
import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as HttpApiGroup from "effect/http-api/HttpApiGroup"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import { HealthChanged } from "../contract/Events.ts"
import { Bus } from "../kernel/Bus.ts"
import { decode } from "../kernel/Envelope.ts"
import { VERSION } from "./Version.ts"

export const ActorHealth = Schema.Struct({
  actor: Schema.String,
  status: HealthChanged.fields.status,
  /** For a person: what is wrong and what to do, empty when nothing is. */
  detail: Schema.String
})
export type ActorHealth = typeof ActorHealth.Type

export const Health = Schema.Struct({
  status: Schema.Literals(["ok", "degraded", "starting"]),
  version: Schema.String,
  uptimeSeconds: Schema.Int,
  actors: Schema.Array(ActorHealth)
})
export type Health = typeof Health.Type

/** One part that does not work is a degraded whole; one that is not there yet, a starting one. */
export const overall = (actors: ReadonlyArray<ActorHealth>): Health["status"] => {
  if (actors.some(({ status }) => status === "down" || status === "degraded")) return "degraded"
  return actors.length === 0 || actors.some(({ status }) => status === "starting") ? "starting" : "ok"
}

export const GatewayApi = HttpApi.make("voxbus").add(
  HttpApiGroup.make("system", { topLevel: true }).add(HttpApiEndpoint.get("health", "/health", { success: Health }))
)

const unreachable: ReadonlyArray<ActorHealth> = [
  { actor: "bus", status: "down", detail: "The event bus does not answer. Is `voxbus start` running?" }
]

export const actorsOf = Effect.gen(function* () {
  const bus = yield* Bus
  const recorded = yield* bus.last("HOST", ["health.changed.host.>"])
  const events = yield* Effect.forEach(recorded, (each) => Effect.option(decode(each)))
  return events
    .flatMap((event): ReadonlyArray<ActorHealth> =>
      event._tag === "Some" && event.value._tag === "health.changed"
        ? [{ actor: event.value.actor, status: event.value.status, detail: event.value.detail }]
        : []
    )
    .toSorted((a, b) => a.actor.localeCompare(b.actor))
})

const handlers = HttpApiBuilder.group(
  GatewayApi,
  "system",
  Effect.fnUntraced(function* (handlers) {
    const bus = yield* Bus
    const started = yield* Clock.currentTimeMillis
    return handlers.handleAll({
      health: Effect.fnUntraced(function* () {
        const actors = yield* actorsOf.pipe(
          Effect.provideService(Bus, bus),
          Effect.timeout("2 seconds"),
          Effect.catch(() => Effect.succeed(unreachable))
        )
        const now = yield* Clock.currentTimeMillis
        return { status: overall(actors), version: VERSION, uptimeSeconds: Math.floor((now - started) / 1000), actors }
      })
    })
  })
)

export const healthRoute = HttpApiBuilder.layer(GatewayApi).pipe(Layer.provide(handlers))
