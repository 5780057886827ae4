/** The issued users of the bus of this instance: tells the running server of them. */
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type { Failure } from "../kernel/Failure.ts"

export class BusUsers extends Context.Service<
  BusUsers,
  {
    /** What is in the file counts from now on. Fails where the bus is not ours. */
    readonly apply: Effect.Effect<void, Failure>
    readonly url: string
  }
>()("voxbus/BusUsers") {}
