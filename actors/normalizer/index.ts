/** The normalizer: audio of any codec becomes chunks of 16 kHz mono, cut in silence. */
import { Vad } from "./Vad.ts"

export { TAIL } from "./Chunker.ts"
export { type Ear, makeEar, remember } from "./Ear.ts"
export { normalizerActor } from "./Normalizer.ts"
export { type Detector, Vad } from "./Vad.ts"

/** Its voice activity detector; needs the models and the settings. */
export const normalizerLayer = Vad.layer
