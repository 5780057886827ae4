/**
 * What is recorded: a voice that can be asked for any of its samples, each of which says where it is from. Short tones
 * with long pauses make many chunks; a faint noise that depends on the position alone makes every piece unlike any other.
 */
export const RATE = 16_000
const TONE = RATE * 0.7
const ROUND = RATE * 7

/** About -60 dBFS: nobody takes it for speech. */
const faint = (position: number): number => {
  let mixed = Math.imul(position ^ (position >>> 15), 0x2c1b3c6d)
  mixed = Math.imul(mixed ^ (mixed >>> 12), 0x297a2d39)
  return (mixed >>> 26) - 32
}

/** Samples `from` (inclusive) to `to` (exclusive). */
export const voice = (from: number, to: number): Int16Array =>
  Int16Array.from({ length: to - from }, (_, index) => {
    const position = from + index
    const within = position % ROUND
    const pitch = 200 + 40 * (Math.floor(position / ROUND) % 10)
    return faint(position) + (within < TONE ? Math.round(8_000 * Math.sin((2 * Math.PI * pitch * within) / RATE)) : 0)
  })
