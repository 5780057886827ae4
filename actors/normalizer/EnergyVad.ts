/**
 * Voice activity by loudness alone, beside the test-kit engines: any window of 32 ms above -40 dBFS is speech. It loads
 * nothing and is no detector for real audio, where noise is loud and consonants are not.
 */
import type { Span } from "./Chunker.ts"
import type { Detector } from "./Vad.ts"

const WINDOW = 512
/** Root mean square of -40 dBFS, squared and summed over a window. */
const LOUD = 327.68 ** 2

export const energyDetector = (): Detector => {
  let sum = 0
  let filled = 0
  let total = 0
  let loud = false
  const end = (into: Array<Span>) => {
    if (filled > 0) loud = sum / filled >= LOUD
    if (filled > 0 && loud) into.push({ start: total - filled, end: total })
    sum = 0
    filled = 0
  }
  return {
    push: (block) => {
      const spans: Array<Span> = []
      for (const sample of block) {
        sum += sample * sample
        filled += 1
        total += 1
        if (filled === WINDOW) end(spans)
      }
      return { spans, settled: total - filled, speaking: loud }
    },
    finish: () => {
      const spans: Array<Span> = []
      end(spans)
      return { spans, settled: total, speaking: false }
    }
  }
}
