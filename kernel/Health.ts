/** How an actor's process says how it is: the newest `health.changed` of each actor stays on the stream `HOST`. */
import * as Effect from "effect/Effect"
import { ulid } from "ulid"
import type { HealthChanged } from "../contract/Events.ts"
import { Bus } from "./Bus.ts"
import { encode } from "./Envelope.ts"

export type HealthStatus = (typeof HealthChanged.Type)["status"]

/** Never fails: an actor that cannot say that it is well may still be well. */
export const report = (actor: string, status: HealthStatus, detail = ""): Effect.Effect<void, never, Bus> =>
  Effect.gen(function* () {
    const bus = yield* Bus
    const outgoing = yield* encode(
      { _tag: "health.changed", v: 1, actor, status, detail },
      { actor, cause: "", messageId: `health:${ulid()}` }
    )
    yield* bus.publish(outgoing)
  }).pipe(
    // Work does not wait for this.
    Effect.timeoutOption("5 seconds"),
    Effect.asVoid,
    Effect.catch((failure) => Effect.logDebug("health not reported").pipe(Effect.annotateLogs({ reason: failure.message })))
  )
