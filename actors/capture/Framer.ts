/** Audio in pieces of any size becomes frames of equal length, whole samples each. Pure. */
import type { Bytes } from "../../kernel/Bus.ts"

/** Milliseconds. With the way to the log, what a crash can cost stays below 250 ms, also on a busy machine. */
export const FRAME_MS = 100

export interface Framer {
  readonly push: (bytes: Bytes) => ReadonlyArray<Bytes>
  /** The rest, shorter than a frame; half a sample is left out. */
  readonly flush: () => ReadonlyArray<Bytes>
}

export const makeFramer = (sampleRate: number, channels: number): Framer => {
  const group = 2 * channels
  const size = Math.round((sampleRate * FRAME_MS) / 1000) * group
  let held: Buffer = Buffer.alloc(0)
  return {
    push: (bytes) => {
      held = held.length === 0 ? Buffer.from(bytes) : Buffer.concat([held, bytes])
      const frames: Array<Bytes> = []
      while (held.length >= size) {
        frames.push(held.subarray(0, size))
        held = held.subarray(size)
      }
      return frames
    },
    flush: () => {
      const rest = held.subarray(0, held.length - (held.length % group))
      held = Buffer.alloc(0)
      return rest.length === 0 ? [] : [rest]
    }
  }
}
