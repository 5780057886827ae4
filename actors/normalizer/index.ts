/** The normalizer: audio of any codec becomes chunks of 16 kHz mono, cut in silence. */
import { Vad } from "./Vad.ts"

export { normalizerActor } from "./Normalizer.ts"

/** Its voice activity detector; needs the models. */
export const normalizerLayer = Vad.layer
