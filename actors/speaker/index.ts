/** The speaker's public surface: the actor, and the voice on its own for programs that make speech themselves. */
import { Engines } from "./Engines.ts"

export type { Speech } from "./Engine.ts"
export { Engines, synthesize } from "./Engines.ts"
export { voices } from "./engines/elevenlabs.ts"
export { shiftPitch, toBytes } from "./Pcm.ts"
export { speakerActor } from "./Speaker.ts"

/** Its voices; need the models and the core budget of the host. */
export const speakerLayer = Engines.layer
