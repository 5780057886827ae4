/** The reasoner's public surface. */
import { Engines } from "./Engines.ts"

export { Engines } from "./Engines.ts"
export { reasonerActor } from "./Reasoner.ts"

/** Its engines; need the settings, the models and the core budget of the host. */
export const reasonerLayer = Engines.layer
