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
import { addressOf, busLayer, credentialsFile } from "./BusAccess.ts"
import { findInstance } from "./Instance.ts"

export type Reach = Bus | Blobs

/** The part of a host's services that a command uses. */
export const pickReach = (services: Context.Context<Reach>): Context.Context<Reach> =>
  Context.make(Bus, Context.get(services, Bus)).pipe(Context.add(Blobs, Context.get(services, Blobs)))

/** Opens the bus in the current scope. `actors` are those a host of our own must run. */
export const reach = Effect.fnUntraced(function* (
  actors: ReadonlyArray<string>
): Effect.fn.Return<Context.Context<Reach>, Failure, Settings | Models | Scope.Scope> {
  const settings = yield* Settings
  const running = findInstance(settings.home)
  if (running?.kind === "start" && running.busUrl !== "") {
    const users = yield* credentials(credentialsFile(settings.home), [OPERATOR])
    const address =
      settings.bus.url === ""
        ? { url: running.busUrl, user: OPERATOR, password: users[OPERATOR] ?? "" }
        : yield* addressOf(settings.bus.url, settings)
    return pickReach(yield* Layer.build(busLayer({ name: "voxbus-command", ...address })))
  }
  // Half a second of loading that a command of a running instance does without.
  const { downFailure, startHost } = yield* Effect.promise(() => import("./Host.ts"))
  const host = yield* startHost({ kind: "command", actors })
  if (host.down.length > 0) return yield* Effect.fail(downFailure(host.down))
  return pickReach(host.services)
})
