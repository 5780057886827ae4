/**
 * A deterministic voice for tests of the program: a quiet tone whose pitch is made of the text, 5 ms a letter. It costs
 * microseconds and needs no model. Only by name, never by `auto`.
 */
import * as Effect from "effect/Effect"
import { createHash } from "node:crypto"
import type { Engine, SpeechRequest } from "../Engine.ts"

const RATE = 16_000
const SAMPLES_A_LETTER = 80
/** Samples: a second. */
const LONGEST = RATE
const LOUDNESS = 3_000

const tone = ({ text, speed }: SpeechRequest): Int16Array => {
  const [pitch = 0] = createHash("sha256").update(text).digest()
  const length = /[\p{L}\p{N}]/u.test(text) ? Math.min(LONGEST, Math.round((text.length * SAMPLES_A_LETTER) / speed)) : 0
  const step = (2 * Math.PI * (200 + 2 * pitch)) / RATE
  return Int16Array.from({ length }, (_, n) => Math.round(LOUDNESS * Math.sin(n * step)))
}

export const testkit: Engine = {
  name: "testkit",
  prepare: () => Effect.void,
  synthesize: (request) => Effect.sync(() => ({ pcm: tone(request), sampleRate: RATE, computeMs: 0 }))
}
