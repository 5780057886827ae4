/**
 * The voice of the page: the sentence is published without audio (0 samples, engine `browser`), and a page that sees that
 * may speak the text with the voice of its own system. The last resort of a chain; it never fails.
 */
import * as Effect from "effect/Effect"
import type { Engine } from "../Engine.ts"

export const browser: Engine = {
  name: "browser",
  prepare: () => Effect.void,
  synthesize: () => Effect.succeed({ pcm: new Int16Array(0), sampleRate: 22_050, computeMs: 0, voice: "browser" })
}
