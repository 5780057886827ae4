/**
 * Where the time of a turn went, out of the event log: the log's own times, and the compute times that the engines put
 * into their events. Client and server share a clock, because they share a machine.
 */
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import type { Event, EventOf, EventTag } from "../../contract/Events.ts"
import type { SessionId } from "../../contract/Session.ts"
import { sessionFilters } from "../../contract/Subjects.ts"
import type { Logged } from "../../kernel/Actor.ts"
import { Bus } from "../../kernel/Bus.ts"
import { logged } from "../../kernel/Envelope.ts"
import { Terminal } from "../../kernel/Failure.ts"
import type { Talked } from "./Talk.ts"

/** Milliseconds, but for the last two. The stages from `capture` to `firstByte` follow each other: their sum is `total`. */
export interface Stages {
  /** End of speech until `audio.captured` is on the log. */
  readonly capture: number
  /** Resampling, voice activity, blob: until `audio.normalized`. */
  readonly normalize: number
  /** Until `text.transcribed`, and what of it the engine computed. */
  readonly speechToText: number
  readonly speechToTextCompute: number
  /** Until the first `reply.drafted`, and what of it the model computed (see `modelMs`). */
  readonly firstSentence: number
  readonly firstSentenceCompute: number
  /** The model's first token, from when the reasoner took the question. */
  readonly firstToken: number
  /** Until the first `speech.synthesized`, and what of it the voice computed. */
  readonly textToSpeech: number
  readonly textToSpeechCompute: number
  /** Until the first byte of audio is at the client. */
  readonly firstByte: number
  readonly total: number
  /** `total` without what the three engines computed: the bus, the actors, the gateway, waiting for cores. */
  readonly busAndActors: number
  /** Of the transcription and of the answer: what was done before it was waited for. */
  readonly speechToTextAhead: number
  readonly answerAhead: number
  /** What made the model and the voice work: tokens it had to know, characters of the first sentence. */
  readonly promptTokens: number
  readonly firstSentenceCharacters: number
}

export type StageName = keyof Stages

const of = <T extends EventTag>(entries: ReadonlyArray<Logged>, tag: T): Logged<EventOf<T>> | undefined =>
  entries.find((entry): entry is Logged<EventOf<T>> => entry.event._tag === tag)

/**
 * What the model computed until its first sentence was complete. The reasoner reports the first token and the whole
 * answer; in between tokens come evenly, so the sentence has the share of its characters.
 */
const modelMs = (ready: EventOf<"reply.ready">, sentence: string): number => {
  const share = ready.text.length === 0 ? 1 : Math.min(1, sentence.length / ready.text.length)
  return ready.firstTokenMs + (ready.computeMs - ready.firstTokenMs) * share
}

const isFirst = (event: Event): boolean => !("sentence" in event) || event.sentence === 1

/** The stages of one turn; undefined when its events are not all there. */
export const stagesOf = (all: ReadonlyArray<Logged>, { turn, endAt, firstByteAt }: Talked): Stages | undefined => {
  const entries = all.filter(({ event }) => "unit" in event && event.unit === turn && isFirst(event))
  const captured = of(entries, "audio.captured")
  const normalized = of(entries, "audio.normalized")
  const text = of(entries, "text.transcribed")
  const drafted = of(entries, "reply.drafted")
  const ready = of(entries, "reply.ready")
  const speech = of(entries, "speech.synthesized")
  if (captured === undefined || normalized === undefined || text === undefined) return undefined
  if (drafted === undefined || ready === undefined || speech === undefined) return undefined
  const firstSentence = drafted.time - text.time
  const firstSentenceCompute = Math.min(firstSentence + (ready.event.aheadMs ?? 0), modelMs(ready.event, drafted.event.text))
  const total = firstByteAt - endAt
  // What was computed before the end of speech, or beside the stage before, was not waited for.
  const speechToText = text.time - normalized.time
  const waited = {
    text: Math.min(speechToText, Math.max(0, text.event.computeMs - (text.event.aheadMs ?? 0))),
    sentence: Math.max(0, firstSentenceCompute - (ready.event.aheadMs ?? 0)),
    voice: speech.event.computeMs
  }
  return {
    capture: captured.time - endAt,
    normalize: normalized.time - captured.time,
    speechToText,
    speechToTextCompute: text.event.computeMs,
    firstSentence,
    firstSentenceCompute,
    firstToken: ready.event.firstTokenMs,
    textToSpeech: speech.time - drafted.time,
    textToSpeechCompute: speech.event.computeMs,
    firstByte: firstByteAt - speech.time,
    total,
    busAndActors: total - waited.text - waited.sentence - waited.voice,
    speechToTextAhead: text.event.aheadMs ?? 0,
    answerAhead: ready.event.aheadMs ?? 0,
    promptTokens: ready.event.usage.promptTokens,
    firstSentenceCharacters: drafted.event.text.length
  }
}

/** The stages of all turns of a conversation, in their order. */
export const stagesFromLog = Effect.fnUntraced(function* (session: SessionId, turns: ReadonlyArray<Talked>) {
  const bus = yield* Bus
  const entries = yield* bus
    .read("ASSISTANT", { filters: sessionFilters("assistant", session) })
    .pipe(Stream.mapEffect(logged), Stream.runCollect)
  return yield* Effect.forEach(turns, (talked) => {
    const stages = stagesOf(entries, talked)
    return stages === undefined
      ? Effect.fail(new Terminal({ code: "turn.stalled", message: `The log does not hold all events of turn ${talked.turn}.` }))
      : Effect.succeed(stages)
  })
})
