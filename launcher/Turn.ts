/**
 * One assistant turn from a file or a text, seen from outside; and what the log says of its latencies.
 */
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import { basename } from "node:path"
import type { EventOf } from "../contract/Events.ts"
import type { ErrorCode } from "../contract/Errors.ts"
import type { SessionConfig, SessionId } from "../contract/Session.ts"
import type { Logged } from "../kernel/Actor.ts"
import { Blobs } from "../kernel/Blobs.ts"
import { type Failure, Terminal } from "../kernel/Failure.ts"
import { follow, queue, raised } from "./Call.ts"

export type TurnRequest = { readonly config: SessionConfig } & ({ readonly path: string } | { readonly text: string })

/**
 * Milliseconds from the end of speech (the log took `audio.captured`, or the typed text) until the log had each thing.
 * `firstToken` is the time of the transcript plus what the reasoner measured to its first token.
 */
export interface TurnLatency {
  readonly speechToText: number
  readonly firstToken: number
  readonly firstSentence: number
  readonly firstAudio: number
  readonly total: number
}

export interface TurnResult {
  readonly session: SessionId
  readonly transcript: string
  readonly reply: string
  readonly rejected?: string
  /** A stage that failed; what the others did is there: the words without an answer, the answer without a voice. */
  readonly problem?: { readonly stage: "answer" | "speech"; readonly code: ErrorCode; readonly message: string }
  /** Mono. */
  readonly pcm: Int16Array
  readonly sampleRate: number
  readonly latencyMs: TurnLatency
}

const isA =
  <T extends Logged["event"]["_tag"]>(tag: T) =>
  (entry: Logged): entry is Logged<EventOf<T>> =>
    entry.event._tag === tag

/** Latencies of the turn that these events are; absent stages count as the stage before. */
export const latencyOf = (events: ReadonlyArray<Logged>): TurnLatency => {
  const heard = events.find(isA("text.transcribed"))
  const origin = events.find(isA("audio.captured"))?.time ?? heard?.time ?? 0
  const since = (time: number | undefined, otherwise: number) =>
    time === undefined ? otherwise : Math.max(0, Math.round((time - origin) * 10) / 10)
  const speechToText = since(heard?.time, 0)
  const ready = events.find(isA("reply.ready"))
  const firstToken = ready === undefined ? speechToText : Math.round((speechToText + ready.event.firstTokenMs) * 10) / 10
  const firstSentence = since(events.find(isA("reply.drafted"))?.time, firstToken)
  const firstAudio = since(events.find(isA("speech.synthesized"))?.time, firstSentence)
  return { speechToText, firstToken, firstSentence, firstAudio, total: since(events.at(-1)?.time, firstAudio) }
}

const STAGES: Readonly<Record<string, "answer" | "speech">> = { reasoner: "answer", speaker: "speech" }

/** The turn is over: the answer is whole and its sentences are spoken or never will be, or there is nothing to answer. */
const isOver = (events: ReadonlyArray<Logged>): boolean => {
  const failed = events.filter(isA("error.raised")).map(({ event }) => STAGES[event.actor])
  if (failed.includes("answer")) return true
  const ready = events.find(isA("reply.ready"))
  if (ready !== undefined && failed.includes("speech")) return true
  if (ready !== undefined) return events.filter(isA("speech.synthesized")).length >= ready.event.sentences
  return events.some(isA("text.rejected"))
}

/** A copy, because a view would need an even offset. */
const samplesOf = (bytes: Uint8Array) => new Int16Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength))

/** Without speech recognition one can still type. */
const unheard = (event: EventOf<"error.raised">): Terminal =>
  event.actor === "transcriber"
    ? new Terminal({ code: event.code, message: `${event.message} Until then: npx voxbus ask --text "..."` })
    : raised(event)

/** Sentences of two engines of a chain may have two rates; between samples it goes straight. */
const atRate = (pcm: Int16Array, from: number, to: number): Int16Array =>
  from === to
    ? pcm
    : Int16Array.from({ length: Math.floor((pcm.length * to) / from) }, (_, i) => {
        const at = (i * from) / to
        const left = pcm[Math.floor(at)] ?? 0
        return left + ((pcm[Math.floor(at) + 1] ?? left) - left) * (at % 1)
      })

export const runTurn = Effect.fnUntraced(function* (request: TurnRequest, onEvent: (entry: Logged) => Effect.Effect<void>) {
  const blobs = yield* Blobs
  const source = "path" in request ? { path: request.path, title: basename(request.path) } : { text: request.text, title: "question" }
  const session = yield* queue({ mode: "assistant", kind: "ask", config: request.config, ...source })
  const seen: Array<Logged> = []
  yield* follow("assistant", session).pipe(
    Stream.tap(onEvent),
    Stream.tap(({ event }) =>
      event._tag === "error.raised" && STAGES[event.actor] === undefined ? Effect.fail<Failure>(unheard(event)) : Effect.void
    ),
    Stream.map((entry) => void seen.push(entry)),
    Stream.takeUntil(() => isOver(seen)),
    Stream.runDrain,
    Effect.timeoutOrElse({
      duration: "3 minutes",
      orElse: () => Effect.fail<Failure>(new Terminal({ code: "turn.stalled", message: "The assistant made no progress for 3 minutes." }))
    })
  )
  const spoken = seen.filter(isA("speech.synthesized")).toSorted((a, b) => a.event.sentence - b.event.sentence)
  const parts = yield* Effect.forEach(spoken, ({ event }) => blobs.get({ mode: "assistant", session }, event.audio))
  const failure = seen.find(isA("error.raised"))?.event
  const stage = failure === undefined ? undefined : STAGES[failure.actor]
  const rejected = seen.find(isA("text.rejected"))?.event.reason
  const sampleRate = spoken[0]?.event.sampleRate ?? 22_050
  const result: TurnResult = {
    session,
    transcript: seen.find(isA("text.transcribed"))?.event.text ?? "",
    // An answer that broke off is as long as what was published of it.
    reply:
      seen.find(isA("reply.ready"))?.event.text ??
      seen
        .filter(isA("reply.drafted"))
        .map(({ event }) => event.text)
        .join(" "),
    ...(failure === undefined || stage === undefined ? {} : { problem: { stage, code: failure.code, message: failure.message } }),
    ...(rejected === undefined ? {} : { rejected }),
    pcm: Int16Array.from(parts.flatMap((part, i) => [...atRate(samplesOf(part), spoken[i]?.event.sampleRate ?? sampleRate, sampleRate)])),
    sampleRate,
    latencyMs: latencyOf(seen)
  }
  return result
})
