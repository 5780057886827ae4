/**
 * Who is killed where, from a seed: every actor at every crash point, shuffled, with kills at random moments between.
 * An actor with one output per input has no `during-publish`.
 */
import type { CrashPoint } from "../../kernel/CrashPoints.ts"

export type Where = CrashPoint | "anywhere"

/** A generator of numbers in [0, 1) that gives the same ones for the same seed (mulberry32). */
export const randomFrom = (seed: number): (() => number) => {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}

const SEVERAL: ReadonlyArray<string> = ["capture", "normalizer", "reasoner", "bundler"]

/** The places where an actor can be killed, each once. */
export const placesOf = (actor: string): ReadonlyArray<Where> => [
  "before-work",
  "before-publish",
  ...(SEVERAL.includes(actor) ? (["during-publish"] as const) : []),
  "before-ack",
  "anywhere"
]

/** An endless list for one actor: round after round of all its places, each round in another order. */
export function* plan(actor: string, seed: number): Generator<Where, never> {
  const random = randomFrom(seed ^ [...actor].reduce((sum, letter) => Math.imul(sum, 31) + letter.charCodeAt(0), 7))
  for (;;) yield* placesOf(actor).toSorted(() => random() - 0.5)
}
