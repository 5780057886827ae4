/**
 * Samples as the rest of the program wants them: 16 bit, without a silent lead, as bytes.
 */
import type { Bytes } from "../../kernel/Bus.ts"

/** -40 dBFS: quieter is not heard as the beginning of speech. */
const AUDIBLE = 0.01
/** Milliseconds of silence left before the first audible sample. Piper puts 45-65 ms there, and each is waited for. */
const LEAD_MS = 20

/** Without the silence before the speech, but for 20 ms. Audio that is silent throughout is left alone. */
export const trimLead = (samples: Float32Array, sampleRate: number): Float32Array => {
  const first = samples.findIndex((sample) => Math.abs(sample) >= AUDIBLE)
  return first < 0 ? samples : samples.subarray(Math.max(0, first - Math.round((LEAD_MS / 1000) * sampleRate)))
}

/** Milliseconds of silence left after a phrase that goes on. */
const TAIL_MS = 60

/** Without the silence after speech that goes on at once; a voice ends every text as if it were a sentence. */
export const trimTail = (samples: Float32Array, sampleRate: number): Float32Array => {
  const last = samples.findLastIndex((sample) => Math.abs(sample) >= AUDIBLE)
  return last < 0 ? samples : samples.subarray(0, Math.min(samples.length, last + Math.round((TAIL_MS / 1000) * sampleRate)))
}

/** -1..1 to 16 bit; louder is clipped. */
export const toInt16 = (samples: Float32Array): Int16Array =>
  Int16Array.from(samples, (sample) => Math.round(Math.max(-1, Math.min(1, sample)) * 32_767))

/** Little-endian bytes, as `s16le` asks for on any machine. */
export const toBytes = (pcm: Int16Array): Bytes => {
  const bytes = Buffer.alloc(pcm.length * 2)
  pcm.forEach((sample, index) => bytes.writeInt16LE(sample, index * 2))
  return bytes
}

/**
 * Another speaker from the same voice: plays it `factor` times as fast and as high. 0.85 is a deeper, slower person;
 * give `synthesize` a speed of 1 / factor to keep the pace.
 */
export const shiftPitch = (pcm: Int16Array, factor: number): Int16Array =>
  Int16Array.from({ length: Math.floor(pcm.length / factor) }, (_, index) => {
    const at = index * factor
    const left = pcm[Math.floor(at)] ?? 0
    const right = pcm[Math.floor(at) + 1] ?? left
    return Math.round(left + (right - left) * (at % 1))
  })
