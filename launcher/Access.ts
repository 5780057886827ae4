/**
 * The bus for a command: that of the instance that runs on this home, or one of its own for as long as it works.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import { Blobs } from "../kernel/Blobs.ts"
import { Bus } from "../kernel/Bus.ts"
import type { Failure } from "../kernel/Failure.ts"
import { type Models } from "../kernel/Models.ts"
import { credentials, OPERATOR } from "../kernel/nats/Credentials.ts"
import { Settings } from "../kernel/Settings.ts"
import { busLayer, credentialsFile } from "./BusAccess.ts"
import { downFailure, startHost } from "./Host.ts"
import { findInstance } from "./Instance.ts"

export type Reach = Bus | Blobs

const pick = (services: Context.Context<Reach>): Context.Context<Reach> =>
  Context.make(Bus, Context.get(services, Bus)).pipe(Context.add(Blobs, Context.get(services, Blobs)))

/** Opens the bus in the current scope. `actors` are those a host of our own must run. */
export const reach = Effect.fnUntraced(function* (
  actors: ReadonlyArray<string>
): Effect.fn.Return<Context.Context<Reach>, Failure, Settings | Models | Scope.Scope> {
  const settings = yield* Settings
  const running = findInstance(settings.home)
  if (running?.kind === "start" && running.busUrl !== "") {
    const users = yield* credentials(credentialsFile(settings.home), [OPERATOR])
    const own = settings.bus.url === "" ? { user: OPERATOR, password: users[OPERATOR] ?? "" } : {}
    return pick(yield* Layer.build(busLayer({ url: running.busUrl, name: "voxbus-command", ...own })))
  }
  const host = yield* startHost({ kind: "command", actors })
  if (host.down.length > 0) return yield* Effect.fail(downFailure(host.down))
  return pick(host.services)
})
