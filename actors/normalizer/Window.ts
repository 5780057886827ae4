/**
 * The last half minute of a stream of samples, addressed by absolute position.
 */
import { TIMELINE_RATE } from "../../contract/Events.ts"

export interface SampleWindow {
  readonly push: (block: Int16Array) => void
  /** Position after the newest sample. */
  readonly end: () => number
  /** A copy; the range must not have been dropped. */
  readonly slice: (start: number, end: number) => Int16Array
  /** The middle of the quietest 100 ms between two positions. */
  readonly quietest: (start: number, end: number) => number
  readonly dropBefore: (position: number) => void
}

/** Samples: 100 ms looked at, in steps of 10 ms. */
const STRETCH = TIMELINE_RATE / 10
const STEP = TIMELINE_RATE / 100

export const makeWindow = (): SampleWindow => {
  let blocks: Array<{ readonly at: number; readonly samples: Int16Array }> = []
  let total = 0

  const slice = (start: number, end: number): Int16Array => {
    const part = new Int16Array(end - start)
    for (const { at, samples } of blocks) {
      const from = Math.max(start, at)
      const to = Math.min(end, at + samples.length)
      if (to > from) part.set(samples.subarray(from - at, to - at), from - start)
    }
    return part
  }

  return {
    push: (samples) => {
      if (samples.length > 0) blocks.push({ at: total, samples })
      total += samples.length
    },
    end: () => total,
    slice,
    quietest: (start, end) => {
      const samples = slice(start, end)
      let best = 0
      let least = Infinity
      for (let first = 0; first + STRETCH <= samples.length; first += STEP) {
        let energy = 0
        // Every fourth sample tells as much, and this is the one costly loop here.
        for (let at = first; at < first + STRETCH; at += 4) energy += (samples[at] ?? 0) ** 2
        if (energy < least) {
          least = energy
          best = first
        }
      }
      return start + best + STRETCH / 2
    },
    dropBefore: (position) => {
      const keep = blocks.findIndex(({ at, samples }) => at + samples.length > position)
      blocks = keep < 0 ? [] : keep === 0 ? blocks : blocks.slice(keep)
    }
  }
}
