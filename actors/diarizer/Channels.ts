/**
 * Who speaks when each channel of a recording is a person, as telephone systems and call recorders write it: the louder
 * channel while a segment is spoken. Pure; holds one number per channel and 20 ms, 3 MB for two hours.
 *
 * Says nothing where the channels hold the same (one microphone, written twice) or only one person ever speaks.
 */

export interface Segment {
  readonly start: number
  readonly end: number
}

export interface Finding {
  /** Speaker of each segment, empty where it is not clear. */
  readonly segments: ReadonlyArray<string>
  readonly speakers: ReadonlyArray<{ readonly id: string; readonly samples: number }>
}

/** Samples of the 16 kHz timeline that are measured as one: 20 ms. */
const FRAME = 320
/** Energy by which one channel must be above the other: 3 dB. Cross-talk of a headset is 10 and more below. */
const CLEARLY = 2
/** Share of all segments that must be clear, or the channels are no persons. */
const MOST = 0.6

export const speakerId = (number: number): string => `speaker-${number}`

/** Adds up what both channels hold. */
export const makeMeter = () => {
  const frames: Array<number> = []
  let at = 0
  return {
    /** Interleaved left and right. */
    push: (samples: Int16Array): void => {
      for (let i = 0; i + 1 < samples.length; i += 2) {
        const slot = 2 * Math.floor(at / FRAME)
        const left = (samples[i] ?? 0) / 32_768
        const right = (samples[i + 1] ?? 0) / 32_768
        frames[slot] = (frames[slot] ?? 0) + left * left
        frames[slot + 1] = (frames[slot + 1] ?? 0) + right * right
        at += 1
      }
    },
    energies: (): ReadonlyArray<number> => frames
  }
}

/** 1 for left, 2 for right, 0 where neither is clearly louder. */
const louder = ({ start, end }: Segment, energies: ReadonlyArray<number>): 0 | 1 | 2 => {
  let left = 0
  let right = 0
  for (let frame = Math.floor(start / FRAME); frame <= Math.floor(Math.max(start, end - 1) / FRAME); frame += 1) {
    left += energies[2 * frame] ?? 0
    right += energies[2 * frame + 1] ?? 0
  }
  if (left > CLEARLY * right) return 1
  return right > CLEARLY * left ? 2 : 0
}

/** @returns nothing where the channels do not tell people apart */
export const byChannel = (segments: ReadonlyArray<Segment>, energies: ReadonlyArray<number>): Finding | undefined => {
  const sides = segments.map((segment) => louder(segment, energies))
  const clear = sides.filter((side) => side !== 0)
  if (clear.length < MOST * segments.length || new Set(clear).size < 2) return undefined
  const samples = (side: number) => segments.reduce((sum, { start, end }, i) => sum + (sides[i] === side ? end - start : 0), 0)
  return {
    segments: sides.map((side) => (side === 0 ? "" : speakerId(side))),
    speakers: [1, 2].map((side) => ({ id: speakerId(side), samples: samples(side) }))
  }
}
