/** The reasoner's public surface. */
import * as Layer from "effect/Layer"
import { Engines } from "./Engines.ts"
import { Speculation } from "./Speculation.ts"
import { Toolbox } from "./Toolbox.ts"

export { Engines } from "./Engines.ts"
export { reasonerActor } from "./Reasoner.ts"

/** Its engines and tools; need the settings, the models and the core budget of the host. */
export const reasonerLayer = Layer.mergeAll(Engines.layer, Speculation.layer, Toolbox.layer)
