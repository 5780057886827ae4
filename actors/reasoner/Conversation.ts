/**
 * The conversation as the model sees it: a fold of the session's events.
 *
 * Of an earlier answer only what was *heard* counts (the player says how much), not what was generated: a model that
 * "remembers" sentences nobody heard was livekit/agents-js#1269. Where no player reported anything the whole answer
 * counts (a client that shows text), unless the turn was cancelled: then nothing was heard.
 *
 * What tools returned stays in it, also when the answer was cut short. What was cleared is forgotten.
 */
import type { EventOf } from "../../contract/Events.ts"
import type { Message, ToolCall } from "./Engine.ts"

/** Kinds of events the conversation is made of. */
export const CONVERSATION = [
  "text.transcribed",
  "reply.drafted",
  "reply.ready",
  "speech.synthesized",
  "speech.heard",
  "speech.interrupted",
  "turn.cancelled",
  "tool.called",
  "tool.finished",
  "session.cleared"
] as const

export type ConversationEvent = EventOf<(typeof CONVERSATION)[number]>
type Played = EventOf<"speech.heard" | "speech.interrupted">

export interface Turn {
  readonly unit: number
  readonly question: string
  /** What the user knows of the answer; empty when nothing. */
  readonly answer: string
  /** What tools were asked and what they said, as the model sees it. */
  readonly tools: ReadonlyArray<Message>
}

/** Events that belong to a turn. */
type TurnEvent = Exclude<ConversationEvent, { readonly _tag: "session.cleared" }>

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

const NO_RESULT = "It is not known what came of this."

/** The calls of a turn and their results, by the answers of the model that asked for them. Every call has a result. */
export const toolMessages = (events: ReadonlyArray<TurnEvent>): ReadonlyArray<Message> => {
  const called = events.filter((event) => event._tag === "tool.called").toSorted((a, b) => a.call - b.call)
  const results = new Map(events.flatMap((event) => (event._tag === "tool.finished" ? [[event.call, event.result] as const] : [])))
  const rounds = [...new Set(called.map(({ round }) => round))]
  return rounds.flatMap((round): ReadonlyArray<Message> => {
    const calls = called.filter((each) => each.round === round)
    const toolCalls = calls.map(({ id, name, arguments: text }): ToolCall => ({ id, name, arguments: text }))
    return [
      { role: "assistant", content: "", toolCalls },
      ...calls.map(({ id, call }): Message => ({ role: "tool", content: results.get(call) ?? NO_RESULT, toolCallId: id }))
    ]
  })
}

/** What the user knows of the answer of one turn. */
const answerOf = (events: ReadonlyArray<TurnEvent>): string => {
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
    .map((asked) => {
      const own = events.filter((event): event is TurnEvent => event._tag !== "session.cleared" && event.unit === asked.unit)
      return { unit: asked.unit, question: asked.text, answer: answerOf(own), tools: toolMessages(own) }
    })

/** Of those, the ones that the model is sent along: the last `exchanges`, and none that was cleared. */
export const known = (events: ReadonlyArray<ConversationEvent>, unit: number, exchanges: number): ReadonlyArray<Turn> => {
  const cleared = Math.max(0, ...events.flatMap((event) => (event._tag === "session.cleared" ? [event.through] : [])))
  return exchanges === 0
    ? []
    : turns(events, unit)
        .filter((turn) => turn.unit > cleared)
        .slice(-exchanges)
}

/** Neighbours of the same role as one message: many models accept only alternating roles. */
export const merged = (messages: ReadonlyArray<Message>): ReadonlyArray<Message> =>
  messages.reduce<ReadonlyArray<Message>>((done, next) => {
    const last = done.at(-1)
    const plain = next.role !== "tool" && next.toolCalls === undefined && last?.toolCalls === undefined
    return plain && last?.role === next.role
      ? [...done.slice(0, -1), { role: next.role, content: [last.content, next.content].filter((text) => text !== "").join("\n") }]
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
  const earlier = known(events, options.unit, options.exchanges)
  return merged([
    ...(options.systemPrompt === "" ? [] : [{ role: "system", content: options.systemPrompt } as const]),
    ...earlier.flatMap(({ question, answer, tools }): ReadonlyArray<Message> => [
      { role: "user", content: question },
      ...tools,
      ...(answer === "" ? [] : [{ role: "assistant", content: answer } as const])
    ]),
    { role: "user", content: options.question }
  ])
}
