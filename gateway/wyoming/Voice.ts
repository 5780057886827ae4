/**
 * Text to speech over a connection. All audio of an answer has one rate, which is said once: Home Assistant makes one WAV
 * header of it and drops what comes before. Whatever happens, the answer ends.
 */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import { type Failure } from "../../kernel/Failure.ts"
import { type Errands, sentencesOf, type Spoken } from "../Errands.ts"
import type { Data } from "./Frames.ts"

/** Samples of one audio chunk, as Piper's server sends them. */
const CHUNK = 1024

export type Send = (type: string, data?: Data, payload?: Uint8Array) => Effect.Effect<void>

const samplesOf = ({ pcm }: Spoken) => new Int16Array(pcm.buffer.slice(pcm.byteOffset, pcm.byteOffset + pcm.byteLength))

/** To the rate of the first sentence: another engine of a chain may have another. Between samples it goes straight. */
const atRate = (pcm: Int16Array, from: number, to: number): Int16Array =>
  from === to
    ? pcm
    : Int16Array.from({ length: Math.floor((pcm.length * to) / from) }, (_, n) => {
        const at = (n * from) / to
        const left = pcm[Math.floor(at)] ?? 0
        return left + ((pcm[Math.floor(at) + 1] ?? left) - left) * (at % 1)
      })

/** Sends the audio as it comes: `audio-start`, chunks, `audio-stop`. */
const play = (send: Send, audio: Stream.Stream<Spoken, Failure>) =>
  Effect.gen(function* () {
    let rate = 0
    yield* Stream.runForEach(audio, (spoken) =>
      Effect.gen(function* () {
        if (rate === 0) {
          rate = spoken.sampleRate
          yield* send("audio-start", { rate, width: 2, channels: 1 })
        }
        const pcm = atRate(samplesOf(spoken), spoken.sampleRate, rate)
        for (let at = 0; at < pcm.length; at += CHUNK) {
          const part = pcm.slice(at, at + CHUNK)
          yield* send("audio-chunk", { rate, width: 2, channels: 1 }, new Uint8Array(part.buffer))
        }
      })
    )
    if (rate === 0) yield* send("audio-start", { rate: 22_050, width: 2, channels: 1 })
    yield* send("audio-stop")
  })

/** The text of `synthesize`, at once. */
export const speakText = (errands: Errands, send: Send, text: string, voice: string | undefined): Effect.Effect<void, Failure> =>
  Effect.scoped(
    Effect.gen(function* () {
      const sentences = sentencesOf(text)
      if (sentences.length === 0) return yield* play(send, Stream.empty)
      const speech = yield* errands.speak(voice === undefined ? {} : { voice })
      yield* Effect.forEach(sentences, speech.say, { discard: true })
      yield* speech.end
      yield* play(send, speech.audio)
    })
  )

export interface Reading {
  /** Text as it comes: each sentence is spoken once it is complete. */
  readonly chunk: (text: string) => Effect.Effect<void, Failure>
  readonly stop: Effect.Effect<void, Failure>
  /** Ends when everything was sent. */
  readonly played: Effect.Effect<void, Failure>
}

/** Text that comes in pieces, between `synthesize-start` and `synthesize-stop`. */
export const readAloud = Effect.fnUntraced(function* (
  errands: Errands,
  send: Send,
  voice: string | undefined
): Effect.fn.Return<Reading, Failure, Scope.Scope> {
  const speech = yield* errands.speak(voice === undefined ? {} : { voice })
  let held = ""
  let said = 0
  const say = (sentences: ReadonlyArray<string>) =>
    Effect.forEach(
      sentences,
      (sentence) =>
        Effect.andThen(
          speech.say(sentence),
          Effect.sync(() => void (said += 1))
        ),
      { discard: true }
    )
  return {
    chunk: (text) =>
      Effect.suspend(() => {
        held += text
        const parts = [...new Intl.Segmenter(undefined, { granularity: "sentence" }).segment(held)]
        // The last one may go on.
        const last = parts.at(-1)?.index ?? 0
        const complete = sentencesOf(held.slice(0, last))
        held = held.slice(last)
        return say(complete)
      }),
    stop: Effect.suspend(() => {
      const rest = sentencesOf(held)
      held = ""
      return Effect.andThen(say(rest), speech.end)
    }),
    played: Effect.suspend(() => play(send, speech.audio))
  }
})
