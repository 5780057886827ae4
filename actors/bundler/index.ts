/**
 * The bundler's public surface for the launcher's registry. `Verify.ts` and `exports/` may be imported on their own by a
 * command that needs neither the actor nor audio codecs.
 */
import * as Layer from "effect/Layer"

export { bundlerActor } from "./Bundler.ts"

/** The bundler needs nothing but what the kernel gives every actor. */
export const bundlerLayer = Layer.empty
