/** A voice for the test-kit's ears: tones that its detector takes for speech and its speech recognition for words. */
import { createHash } from "node:crypto"

const RATE = 16_000
const samplesOf = (ms: number) => Math.round((RATE * ms) / 1000)

/** `s16le` of digital silence. */
export const QUIET = (ms: number): Uint8Array<ArrayBuffer> => new Uint8Array(2 * samplesOf(ms))

/** `s16le` of a tone that is another one for every seed. */
export const heardTone = (seed: number, ms: number): Uint8Array<ArrayBuffer> => {
  const pitch = createHash("sha256").update(String(seed)).digest().readUInt16BE(0) / 65_536
  const step = (2 * Math.PI * (200 + 400 * pitch)) / RATE
  return new Uint8Array(Int16Array.from({ length: samplesOf(ms) }, (_, n) => Math.round(8_000 * Math.sin(n * step))).buffer)
}
