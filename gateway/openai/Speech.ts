/**
 * `POST /v1/audio/speech`: text to a voice. Each sentence is an event that the speaker answers, and its audio is sent while the
 * next one is made. Two sentences are ahead of the voice, so a long text leaves room for a conversation beside it.
 */
import * as Effect from "effect/Effect"
import type * as HttpServerRequest from "effect/http/HttpServerRequest"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import { cut } from "../../actors/reasoner/Sentences.ts"
import { spoken } from "../../actors/reasoner/Spoken.ts"
import type { EventOf } from "../../contract/Events.ts"
import { SpeechRequest } from "../../contract/OpenAi.ts"
import type { SessionConfig } from "../../contract/Session.ts"
import { Blobs } from "../../kernel/Blobs.ts"
import { type Failure, Terminal } from "../../kernel/Failure.ts"
import { encodeStream, pushResamplerTo, streamedWavHeader } from "../../kernel/Media.ts"
import { Settings } from "../../kernel/Settings.ts"
import { demand } from "../Access.ts"
import { jsonBody } from "./Body.ts"
import { installed } from "./Models.ts"
import { makePrivate } from "./Private.ts"
import { Parameter } from "./Problem.ts"
import { primed, sse } from "./Sse.ts"

/** Hertz of every format: what clients take raw `pcm` to have. */
export const SPEECH_RATE = 24_000
/** Sentences that are on the log before their turn. */
const AHEAD = 2
/** Names of OpenAI's, and of this project: all are the configured voice. */
const ANY_VOICE = [
  "alloy",
  "ash",
  "ballad",
  "cedar",
  "coral",
  "echo",
  "fable",
  "marin",
  "nova",
  "onyx",
  "sage",
  "shimmer",
  "verse",
  "default",
  "voxbus"
]

const TYPES = {
  mp3: "audio/mpeg",
  opus: "audio/ogg",
  aac: "audio/aac",
  flac: "audio/flac",
  wav: "audio/wav",
  pcm: "audio/pcm"
} as const

type Format = keyof typeof TYPES

const decodeBody = jsonBody(SpeechRequest)

export const bytesOf = (pcm: Int16Array): Uint8Array => new Uint8Array(pcm.buffer, pcm.byteOffset, pcm.byteLength)

const encoded = (samples: Stream.Stream<Int16Array, Failure>, format: Format): Stream.Stream<Uint8Array, Failure> => {
  const raw = Stream.map(samples, bytesOf)
  if (format === "pcm") return raw
  if (format === "wav") return Stream.concat(Stream.make(streamedWavHeader(SPEECH_RATE)), raw)
  return encodeStream(format, SPEECH_RATE)(samples)
}

/** A copy: a view would need an even offset. */
export const samplesOf = (bytes: Uint8Array): Int16Array =>
  new Int16Array(Uint8Array.from(bytes.subarray(0, bytes.length - (bytes.length % 2))).buffer)

/** A voice that is installed, or the configured one for any of OpenAI's names; fails with what there is. */
export const makeVoiceFor = Effect.gen(function* () {
  const settings = yield* Settings
  return Effect.fnUntraced(function* (voice: string, configured: string): Effect.fn.Return<string, Failure> {
    const voices = yield* Effect.provideService(installed(["voice"]), Settings, settings)
    if (voices.includes(voice)) return voice
    if (ANY_VOICE.includes(voice.toLowerCase())) return configured
    const known = [...voices, "alloy (the configured one)"].join(", ")
    return yield* new Parameter("voice", `There is no voice "${voice.slice(0, 60)}"; there are ${known}.`)
  })
})

/** Lives as long as the gateway. */
export const makeSpeech = Effect.gen(function* () {
  const settings = yield* Settings
  const blobs = yield* Blobs
  const open = yield* makePrivate
  const voiceFor = yield* makeVoiceFor

  /** The text in sentences to samples at `SPEECH_RATE`, a block for each sentence that can be heard. */
  const speak = Effect.fnUntraced(function* (
    sentences: ReadonlyArray<string>,
    config: SessionConfig
  ): Effect.fn.Return<Stream.Stream<Int16Array, Failure>, Failure, Scope.Scope> {
    const errand = yield* open("Speech", config)
    const { mode, session } = errand.session
    const resampler = yield* pushResamplerTo(SPEECH_RATE)
    const draft = (sentence: number): Effect.Effect<void, Failure> => {
      const text = sentences[sentence - 1]
      return text === undefined
        ? Effect.void
        : errand.publish({ _tag: "reply.drafted", v: 1, mode, session, unit: 1, sentence, text, generation: 0, config })
    }
    for (let sentence = 1; sentence <= AHEAD; sentence += 1) yield* draft(sentence)
    return errand.events.pipe(
      Stream.filter((event): event is EventOf<"speech.synthesized"> => event._tag === "speech.synthesized"),
      Stream.take(sentences.length),
      Stream.tap(({ sentence }) => (sentence === sentences.length ? errand.done : draft(sentence + AHEAD))),
      Stream.mapEffect((event) =>
        Effect.map(blobs.get(event, event.audio), (bytes) => resampler.push(samplesOf(bytes), event.sampleRate, 1))
      ),
      Stream.concat(Stream.suspend(() => Stream.make(resampler.flush()))),
      Stream.filter((block) => block.length > 0)
    )
  })

  return Effect.fnUntraced(function* (request: HttpServerRequest.HttpServerRequest) {
    yield* demand("write")
    const body = yield* decodeBody(request)
    const sentences = cut(body.input, { first: true, final: true })
      .sentences.map(spoken)
      .filter((sentence) => sentence !== "")
    if (sentences.length === 0) return yield* new Parameter("input", "There is nothing in the text that can be said.")
    const { session } = yield* settings.reload
    const voice = yield* voiceFor(typeof body.voice === "string" ? body.voice : body.voice.id, session.speaker.voice)
    const config: SessionConfig = {
      ...session,
      until: "speech",
      speaker: { ...session.speaker, voice, speed: body.speed ?? session.speaker.speed }
    }
    const format = body.response_format ?? "mp3"
    const samples = yield* primed(yield* speak(sentences, config))
    let any = false
    const heard = samples.pipe(
      Stream.map((block) => {
        any = true
        return block
      }),
      Stream.concat(
        Stream.suspend(() =>
          any
            ? Stream.empty
            : Stream.fail<Failure>(new Terminal({ code: "speech.unavailable", message: "The configured voice makes no audio." }))
        )
      )
    )
    const audio = yield* primed(encoded(heard, format))
    if (body.stream_format === "sse") {
      const deltas = Stream.map(audio, (bytes) => ({ type: "speech.audio.delta", audio: Buffer.from(bytes).toString("base64") }))
      const done = { type: "speech.audio.done", usage: { input_tokens: 0, output_tokens: 0, total_tokens: 0 } }
      return yield* sse(Stream.concat(deltas, Stream.make(done)))
    }
    return HttpServerResponse.stream(audio, { contentType: TYPES[format], headers: { "cache-control": "no-store" } })
  })
})

/** `GET /v1/audio/voices`: not of OpenAI, but clients of self-hosted servers look for the names there. */
export const listVoices = Effect.gen(function* () {
  yield* demand("read")
  const voices = ["alloy", ...(yield* installed(["voice"]))]
  return HttpServerResponse.jsonUnsafe({ voices: voices.map((id) => ({ id, name: id })) })
})
