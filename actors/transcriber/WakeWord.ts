/**
 * A wake word, found in the words: with a microphone that is always open, what does not begin with it is nobody's
 * question, and its words are not kept. For a while after an answer it is not needed.
 *
 * Every utterance is transcribed to know this, here on this machine unless a remote engine is chosen. A detector that
 * listens to the sound alone would cost less; its models are on no registry that the set-up can count on.
 */
import * as Effect from "effect/Effect"
import type { ActorContext } from "../../kernel/Actor.ts"
import type { TranscriberOptions } from "../../contract/Session.ts"

/** "Well, okay, computer": so many words may come before it. */
const BEFORE = 2
/** Words of this length may be one letter off: recognition does not know names. */
const LONG = 4

const wordsOf = (text: string): ReadonlyArray<string> =>
  text
    .normalize("NFKD")
    .replaceAll(/\p{M}/gu, "")
    .toLowerCase()
    .split(/[^\p{L}\p{N}]+/u)
    .filter((word) => word !== "")

/** Whether one letter changed, added or left out makes one of the other. */
const almost = (a: string, b: string): boolean => {
  if (a === b) return true
  if (Math.min(a.length, b.length) < LONG || Math.abs(a.length - b.length) > 1) return false
  let same = 0
  while (same < Math.min(a.length, b.length) && a[same] === b[same]) same += 1
  const [restA, restB] = [a.slice(same), b.slice(same)]
  return restA.slice(1) === restB.slice(1) || restA.slice(1) === restB || restA === restB.slice(1)
}

/** @param phrase one or more words, in any case, with or without accents */
export const beginsWith = (text: string, phrase: string): boolean => {
  const wanted = wordsOf(phrase)
  const said = wordsOf(text)
  return Array.from({ length: BEFORE + 1 }, (_, at) => at).some((at) => wanted.every((word, n) => almost(said[at + n] ?? "", word)))
}

/** Whether an answer of this session ended so lately that one may go on without the wake word. */
export const isAwake = (context: Pick<ActorContext, "history" | "time">, { wakeSeconds }: Pick<TranscriberOptions, "wakeSeconds">) =>
  Effect.map(context.history(["reply.ready", "speech.heard", "speech.interrupted"]), (past) =>
    past.some(({ time, event }) => context.time - time < wakeSeconds * 1000 && !(event._tag === "reply.ready" && event.sentences === 0))
  )
