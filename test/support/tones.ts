/** A WAV whose loud parts are "speech" to the test-kit's detector: no voice, no model, the same bytes every time. */
import { mkdirSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { wavBytes } from "../../kernel/media/Wav.ts"

const RATE = 16_000

/** Samples of a period of the tone in each span, in turn: exact periods compress to almost nothing. */
const PERIODS = [40, 52, 64]

/**
 * @param loud spans in seconds
 * @returns 16 kHz mono that ends half a second after the last span
 */
export const tones = (loud: ReadonlyArray<readonly [from: number, to: number]>): Int16Array => {
  const end = Math.max(...loud.map(([, to]) => to)) + 0.5
  return Int16Array.from({ length: Math.round(end * RATE) }, (_, n) => {
    const span = loud.findIndex(([from, to]) => n >= from * RATE && n < to * RATE)
    const period = PERIODS[span % PERIODS.length] ?? 40
    return span < 0 ? 0 : Math.round(8_000 * Math.sin((2 * Math.PI * (n % period)) / period))
  })
}

/** The same as a file; returns its path. */
export const toneFile = (loud: ReadonlyArray<readonly [from: number, to: number]>): string => {
  const folder = join(tmpdir(), "voxbus-test-speech")
  mkdirSync(folder, { recursive: true })
  const path = join(folder, `tones-${loud.flat().join("-")}.wav`)
  writeFileSync(path, wavBytes(tones(loud), RATE, 1))
  return path
}
