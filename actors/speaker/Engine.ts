/**
 * What a voice is to the speaker: a sentence in, samples out. One file in `engines/` per kind of voice; `Engines.ts` is
 * the registry.
 */
import type * as Effect from "effect/Effect"
import type { Failure } from "../../kernel/Failure.ts"

export interface SpeechRequest {
  readonly text: string
  /** Name in the catalogue. */
  readonly voice: string
  /** 1 is the voice's own pace, 2 twice as fast. */
  readonly speed: number
}

/** Mono audio at the voice's own rate. */
export interface Speech {
  readonly pcm: Int16Array
  /** Hertz. */
  readonly sampleRate: number
  readonly computeMs: number
  /** The voice that spoke where it is not the one asked for, and who did it where those asked are several. */
  readonly voice?: string
  readonly engine?: string
}

export interface Engine {
  readonly name: string
  /** Loads a voice ahead of its first sentence. */
  readonly prepare: (voice: string) => Effect.Effect<void, Failure>
  /** Text without anything to say gives no samples. */
  readonly synthesize: (request: SpeechRequest) => Effect.Effect<Speech, Failure>
}
