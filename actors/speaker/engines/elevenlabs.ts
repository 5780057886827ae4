/**
 * ElevenLabs: the streaming endpoint with raw samples at 22.05 kHz, which is what the local voice has too. The text leaves
 * the machine, so nothing uses it unless a session or a chain names it.
 *
 * One request takes 5,000 characters; longer text is cut between sentences and the audio joined. Gotcha: a used-up quota
 * is a 401 with `quota_exceeded`, not only a 402.
 */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { type Failure, Retryable } from "../../../kernel/Failure.ts"
import { type Endpoint, json } from "../../../kernel/ProviderHttp.ts"
import type { Engine } from "../Engine.ts"
import { pcmOf, pieces, speakable } from "../Remote.ts"

export interface ElevenLabs {
  /** Without `/v1`. */
  readonly endpoint: Endpoint
  /** Id of the voice. */
  readonly voice: string
  readonly model: string
  readonly stability: number
  readonly similarityBoost: number
  readonly totalMs: number
}

const MOST_CHARACTERS = 5_000
const RATE = 22_050
/** What the service takes for a voice's pace. */
const pace = (speed: number) => Math.min(1.2, Math.max(0.7, speed))

const Voices = Schema.Struct({
  voices: Schema.Array(
    Schema.Struct({ voice_id: Schema.String, name: Schema.String, category: Schema.optionalKey(Schema.NullOr(Schema.String)) })
  )
})

export interface Voice {
  readonly id: string
  readonly name: string
}

/** The voices that the key may use. */
export const voices = (endpoint: Endpoint): Effect.Effect<ReadonlyArray<Voice>, Failure> =>
  json(endpoint, { method: "GET", path: "/v1/voices", firstByteMs: 10_000, totalMs: 10_000 }, Voices).pipe(
    Effect.map(({ voices }) => voices.map(({ voice_id, name }) => ({ id: voice_id, name })))
  )

/** @param settings asked for with each request, so that a change is used with the next */
export const makeElevenLabs = (settings: Effect.Effect<ElevenLabs, Failure>): Engine => ({
  name: "elevenlabs",
  prepare: () => Effect.asVoid(settings),
  synthesize: Effect.fnUntraced(function* ({ text, speed }) {
    if (!speakable(text)) return { pcm: new Int16Array(0), sampleRate: RATE, computeMs: 0 }
    const { endpoint, voice, model, stability, similarityBoost, totalMs } = yield* settings
    const startedAt = performance.now()
    const parts = yield* Effect.forEach(pieces(text, MOST_CHARACTERS), (piece) =>
      pcmOf(endpoint, {
        method: "POST",
        path: `/v1/text-to-speech/${encodeURIComponent(voice)}/stream?output_format=pcm_${RATE}`,
        json: {
          text: piece,
          model_id: model,
          voice_settings: { stability, similarity_boost: similarityBoost, speed: pace(speed) }
        },
        accept: "audio/*",
        model: voice,
        firstByteMs: totalMs,
        totalMs
      })
    )
    const pcm = Int16Array.from(parts.flatMap((part) => [...part]))
    if (pcm.length === 0) return yield* new Retryable({ code: "provider.unavailable", message: `${endpoint.label} sent no audio.` })
    return { pcm, sampleRate: RATE, computeMs: performance.now() - startedAt, voice }
  })
})
