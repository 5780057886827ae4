/** How the actors are, and replacing one of them. */
import * as Effect from "effect/Effect"
import type { ActorStatus } from "../../contract/ActorCommands.ts"
import { ActorsStatus, CompareActor, ReplaceActor } from "../../contract/ActorCommands.ts"
import { Bus } from "../../kernel/Bus.ts"
import { handler } from "../../kernel/Commands.ts"
import { decode } from "../../kernel/Envelope.ts"
import { lanesOf, levelOf } from "../../kernel/Lag.ts"
import { Fleet } from "../Fleet.ts"
import { loadAll } from "../Registry.ts"
import { compare } from "../shadow/Compare.ts"

export const healthOf = Effect.gen(function* () {
  const bus = yield* Bus
  const events = yield* Effect.forEach(yield* bus.last("HOST", ["health.changed.host.>"]), (each) => Effect.option(decode(each)))
  return events.flatMap((each) => (each._tag === "Some" && each.value._tag === "health.changed" ? [each.value] : []))
})

export const actorsStatus = Effect.gen(function* () {
  const health = yield* healthOf
  const processes = yield* (yield* Fleet).processes
  const actors = yield* Effect.forEach(yield* loadAll, ({ name, declaration }) =>
    Effect.map(lanesOf(declaration), (lanes): ActorStatus => {
      const said = health.find(({ actor }) => actor === name)
      const here = processes.filter(({ actor }) => actor === name)
      return {
        actor: name,
        health: said?.status ?? "unknown",
        detail: said?.detail ?? "",
        processes: here.map(({ pid }) => pid),
        restarts: here.reduce((sum, { restarts }) => sum + restarts, 0),
        level: levelOf(lanes),
        lanes
      }
    })
  )
  return actors
})

const status = handler(ActorsStatus, () => Effect.map(actorsStatus, (actors) => ({ actors })))

const replace = handler(ReplaceActor, ({ actor }) =>
  Effect.map(
    Effect.flatMap(Fleet, (fleet) => fleet.replace(actor)),
    (replaced) => ({ actor, ...replaced })
  )
)

const comparison = handler(CompareActor, ({ actor, session }) => compare(actor, session))

export const actorHandlers = [status, replace, comparison]
