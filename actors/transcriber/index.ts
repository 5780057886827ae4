/** The transcriber's public surface: the actor, and its engines for programs that measure or test them alone. */
import { Engines } from "./Engines.ts"

export type { Engine, EngineRequest, EngineResult } from "./Engine.ts"
export { Engines } from "./Engines.ts"
export { transcriberActor } from "./Transcriber.ts"

/** Its engines; need the models and the core budget of the host. */
export const transcriberLayer = Engines.layer
