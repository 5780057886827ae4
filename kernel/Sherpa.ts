/**
 * The only import of sherpa-onnx-node (ONNX runtime with voice activity detection and speech synthesis in it). The
 * package has no types; these are the parts we use. Loading it takes ~100 ms, so it is loaded on first use.
 */
import { createRequire } from "node:module"

/** Silero voice activity detector: 512-sample windows of 16 kHz mono float. */
export interface SherpaVad {
  acceptWaveform(samples: Float32Array): void
  isEmpty(): boolean
  isDetected(): boolean
  front(enableExternalBuffer?: boolean): { readonly start: number; readonly samples: Float32Array }
  pop(): void
  flush(): void
  reset(): void
}

export interface SherpaAudio {
  readonly samples: Float32Array
  readonly sampleRate: number
}

export interface SherpaTts {
  readonly sampleRate: number
  readonly numSpeakers: number
  generate(request: { readonly text: string; readonly sid: number; readonly speed: number }): SherpaAudio
  generateAsync(request: { readonly text: string; readonly sid: number; readonly speed: number }): Promise<SherpaAudio>
}

export interface Sherpa {
  readonly Vad: new (config: Record<string, unknown>, bufferSeconds: number) => SherpaVad
  readonly OfflineTts: new (config: Record<string, unknown>) => SherpaTts
}

let loaded: Sherpa | undefined

/** Throws when the package has no build for this platform. */
export const loadSherpa = (): Sherpa => (loaded ??= createRequire(import.meta.url)("sherpa-onnx-node") as Sherpa)
