/**
 * The language of a call. Detected anew in every chunk it changes by mistake: a noisy half minute of English is taken for
 * Welsh, and comes out as Welsh. So the first chunk that is sure pins it, as an event that is stored once: whichever
 * process was first, all others decode in it from then on.
 */
import * as Effect from "effect/Effect"
import type { Event, EventOf } from "../../contract/Events.ts"
import type { ActorContext } from "../../kernel/Actor.ts"
import type { EngineResult } from "./Engine.ts"

/** Probability from which a chunk is sure, and samples of speech (2 s) it needs for that. */
const SURE = 0.7
const ENOUGH = 32_000
/** Words below this are no evidence of a language. */
const GARBLED = -1

/** What the log says now of the call a chunk belongs to. */
export const standing = (context: ActorContext) =>
  Effect.map(context.history(["language.pinned", "job.cancelled"]), (log) => {
    const pins = log.flatMap(({ event }) => (event._tag === "language.pinned" ? [event] : []))
    return { pinned: pins[0], cancelled: log.some(({ event }) => event._tag === "job.cancelled") }
  })

/** The pin that comes of a chunk, if it is sure. */
export const pin = ({ mode, session, unit, speech }: EventOf<"audio.normalized">, result: EngineResult): ReadonlyArray<Event> => {
  const { language, languageProbability: probability, avgLogprob, words } = result
  const heard = speech.reduce((sum, { start, end }) => sum + end - start, 0)
  const sure = probability >= SURE && heard >= ENOUGH && avgLogprob > GARBLED && words.length > 0
  return sure ? [{ _tag: "language.pinned", v: 1, mode, session, language, probability: Math.min(1, probability), unit }] : []
}
