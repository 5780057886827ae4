/**
 * Who speaks when in a recording with one side of the call on each channel: the channel that is clearly the louder one,
 * looked at in steps of 100 ms. Two copies of the same sound have no louder one, and nothing is said of them. Pure.
 */
import { type ChannelSpan, TIMELINE_RATE } from "../../contract/Events.ts"
import type { Span } from "./Chunker.ts"

const STEP = TIMELINE_RATE / 10
/** 6 dB, in energy. */
const CLEARLY = 4
/** Mean square below which a channel is silent: -60 dBFS. */
const FLOOR = (32768 / 1000) ** 2

export interface ChannelMeter {
  /** @param at position on the timeline of the first sample */
  readonly push: (interleaved: Int16Array, sampleRate: number, at: number) => void
  /** The channels' turns within a chunk; what lies before its end is forgotten. */
  readonly within: (chunk: Span) => ReadonlyArray<ChannelSpan>
}

export const makeChannelMeter = (): ChannelMeter => {
  /** Energy and number of samples of each step, by its number. */
  const steps = new Map<number, { left: number; right: number; count: number }>()

  const louder = (step: number): number | undefined => {
    const found = steps.get(step)
    if (found === undefined || Math.max(found.left, found.right) / found.count < FLOOR) return undefined
    if (found.left >= found.right * CLEARLY) return 0
    return found.right >= found.left * CLEARLY ? 1 : undefined
  }

  return {
    push: (interleaved, sampleRate, at) => {
      for (let index = 0; index + 1 < interleaved.length; index += 2) {
        const step = Math.floor((at + ((index / 2) * TIMELINE_RATE) / sampleRate) / STEP)
        const energy = steps.get(step) ?? { left: 0, right: 0, count: 0 }
        energy.left += (interleaved[index] ?? 0) ** 2
        energy.right += (interleaved[index + 1] ?? 0) ** 2
        energy.count += 1
        steps.set(step, energy)
      }
    },
    within: ({ start, end }) => {
      const turns: Array<ChannelSpan> = []
      for (let step = Math.floor(start / STEP); step * STEP < end; step += 1) {
        const channel = louder(step)
        if (channel === undefined) continue
        const span = { start: Math.max(start, step * STEP), end: Math.min(end, (step + 1) * STEP), channel }
        const last = turns.at(-1)
        if (last !== undefined && last.channel === channel && last.end === span.start) turns[turns.length - 1] = { ...last, end: span.end }
        else turns.push(span)
      }
      for (const step of steps.keys()) if ((step + 1) * STEP <= end) steps.delete(step)
      return turns
    }
  }
}
