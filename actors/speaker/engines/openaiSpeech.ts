/**
 * OpenAI's speech endpoint, or any server that has it (`/audio/speech`), as raw samples at 24 kHz. The text leaves the
 * machine, so nothing uses it unless a session or a chain names it. One request takes 4,096 characters.
 */
import * as Effect from "effect/Effect"
import { type Failure, Retryable } from "../../../kernel/Failure.ts"
import type { Endpoint } from "../../../kernel/ProviderHttp.ts"
import type { Engine } from "../Engine.ts"
import { pcmOf, pieces, speakable } from "../Remote.ts"

export interface OpenAiSpeech {
  /** Up to and with `/v1`. */
  readonly endpoint: Endpoint
  readonly voice: string
  readonly model: string
  readonly totalMs: number
}

const MOST_CHARACTERS = 4_096
const RATE = 24_000

/** @param settings asked for with each request, so that a change is used with the next */
export const makeOpenAiSpeech = (settings: Effect.Effect<OpenAiSpeech, Failure>): Engine => ({
  name: "openai-speech",
  prepare: () => Effect.asVoid(settings),
  synthesize: Effect.fnUntraced(function* ({ text, speed }) {
    if (!speakable(text)) return { pcm: new Int16Array(0), sampleRate: RATE, computeMs: 0 }
    const { endpoint, voice, model, totalMs } = yield* settings
    const startedAt = performance.now()
    const parts = yield* Effect.forEach(pieces(text, MOST_CHARACTERS), (input) =>
      pcmOf(endpoint, {
        method: "POST",
        path: "/audio/speech",
        json: { model, voice, input, response_format: "pcm", speed },
        accept: "audio/*",
        model,
        firstByteMs: totalMs,
        totalMs
      })
    )
    const pcm = Int16Array.from(parts.flatMap((part) => [...part]))
    if (pcm.length === 0) return yield* new Retryable({ code: "provider.unavailable", message: `${endpoint.label} sent no audio.` })
    return { pcm, sampleRate: RATE, computeMs: performance.now() - startedAt, voice }
  })
})
