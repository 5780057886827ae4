/** A provider's server for one test, and the failure that a call ends in. */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import type { Failure } from "../Failure.ts"
import { type Options, providerServer } from "./ProviderServer.ts"

export const served = (options: Options = {}) =>
  Effect.acquireRelease(
    Effect.promise(() => providerServer(options)),
    (server) => Effect.promise(() => server.close())
  )

export const failureOf = <A, R>(effect: Effect.Effect<A, Failure, R>) =>
  Effect.exit(effect).pipe(
    Effect.flatMap((exit) =>
      exit._tag === "Failure" ? Effect.fromOption(Cause.findErrorOption(exit.cause)) : Effect.die(new Error("it succeeded"))
    )
  )
