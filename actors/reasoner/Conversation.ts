/**
 * The conversation as the model sees it: a fold of the session's events.
 *
 * Of an earlier answer only what was *heard* counts (the player says how much), not what was generated: a model that
 * "remembers" sentences nobody heard was livekit/agents-js#1269. Where no player reported anything the whole answer
 * counts (a client that shows text), unless the turn was cancelled: then nothing was heard.
 */
import type { EventOf } from "../../contract/Events.ts"
import type { Message } from "./Engine.ts"

/** Kinds of events the conversation is made of. */
export const CONVERSATION = [
  "text.transcribed",
  "reply.drafted",
  "reply.ready",
  "speech.synthesized",
  "speech.heard",
  "speech.interrupted",
  "turn.cancelled"
] as const

export type ConversationEvent = EventOf<(typeof CONVERSATION)[number]>
type Played = EventOf<"speech.heard" | "speech.interrupted">

export interface Turn {
  readonly unit: number
  readonly question: string
  /** What the user knows of the answer; empty when nothing. */
  readonly answer: string
}

/** The first `ratio` of the words. */
const part = (text: string, ratio: number): string => {
  const words = text.split(/\s+/)
  return words.slice(0, Math.floor(words.length * ratio)).join(" ")
}

/** The sentences played to the end, and of the next as many words as its played samples are worth. */
const heardText = (
  played: Played,
  drafts: ReadonlyArray<EventOf<"reply.drafted">>,
  speech: ReadonlyArray<EventOf<"speech.synthesized">>
): string => {
  const length = (sentence: number) => speech.find((each) => each.sentence === sentence)?.samples ?? 0
  const whole = drafts.filter(({ sentence }) => sentence <= played.sentences)
  const before = whole.reduce((sum, { sentence }) => sum + length(sentence), 0)
  const next = drafts.find(({ sentence }) => sentence === played.sentences + 1)
  const samples = next === undefined ? 0 : length(next.sentence)
  const ratio = samples === 0 ? 0 : Math.min(1, Math.max(0, (played.samples - before) / samples))
  return [...whole.map(({ text }) => text), next === undefined ? "" : part(next.text, ratio)].filter((text) => text !== "").join(" ")
}

/** What the user knows of the answer of one turn. */
const answerOf = (events: ReadonlyArray<ConversationEvent>): string => {
  const drafts = events.filter((event) => event._tag === "reply.drafted").toSorted((a, b) => a.sentence - b.sentence)
  const speech = events.filter((event) => event._tag === "speech.synthesized")
  const played = events.filter((event) => event._tag === "speech.heard" || event._tag === "speech.interrupted")
  const furthest = played.toSorted((a, b) => b.samples - a.samples || b.sentences - a.sentences)[0]
  if (furthest !== undefined) return heardText(furthest, drafts, speech)
  if (events.some((event) => event._tag === "turn.cancelled")) return ""
  return events.find((event) => event._tag === "reply.ready")?.text ?? ""
}

/** The turns before `unit`, in order. */
export const turns = (events: ReadonlyArray<ConversationEvent>, unit: number): ReadonlyArray<Turn> =>
  events
    .filter((event) => event._tag === "text.transcribed")
    .filter((event) => event.unit < unit)
    .toSorted((a, b) => a.unit - b.unit)
    .map((asked) => ({ unit: asked.unit, question: asked.text, answer: answerOf(events.filter((event) => event.unit === asked.unit)) }))

/** Neighbours of the same role as one message: many models accept only alternating roles. */
const merged = (messages: ReadonlyArray<Message>): ReadonlyArray<Message> =>
  messages.reduce<ReadonlyArray<Message>>((done, next) => {
    const last = done.at(-1)
    return last?.role === next.role
      ? [...done.slice(0, -1), { role: next.role, content: `${last.content}\n${next.content}` }]
      : [...done, next]
  }, [])

/**
 * @param options.question text of the turn to answer, number `unit`
 * @param options.exchanges how many turns before it are sent along
 * @returns system prompt, earlier exchanges, question
 */
export const messages = (
  events: ReadonlyArray<ConversationEvent>,
  options: { readonly unit: number; readonly question: string; readonly systemPrompt: string; readonly exchanges: number }
): ReadonlyArray<Message> => {
  const earlier = options.exchanges === 0 ? [] : turns(events, options.unit).slice(-options.exchanges)
  return merged([
    ...(options.systemPrompt === "" ? [] : [{ role: "system", content: options.systemPrompt } as const]),
    ...earlier.flatMap(({ question, answer }): ReadonlyArray<Message> => [
      { role: "user", content: question },
      ...(answer === "" ? [] : [{ role: "assistant", content: answer } as const])
    ]),
    { role: "user", content: options.question }
  ])
}
