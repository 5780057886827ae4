/**
 * Transcriber, reasoner and speaker in one, without a model: what it does is a word of the question. It answers every
 * question with two sentences and a sine wave for each, and hands in the second wave first.
 */
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import type { Event, EventOf } from "../../contract/Events.ts"
import * as Actor from "../../kernel/Actor.ts"
import { Blobs } from "../../kernel/Blobs.ts"
import { Terminal } from "../../kernel/Failure.ts"

/** Hertz of the answers. */
export const RATE = 22_050
/** What it understands of any utterance that is not `QUIET` seconds long or less. */
export const HEARD = "What is the capital of France?"
export const SENTENCES = ["It is Paris.", "Anything else?"] as const
/** Utterances of at most so many samples hold no words. */
export const QUIET_SAMPLES = 800

/** A tone as `s16le`, 440 Hz for the first sentence and higher for the following ones. */
export const tone = (sentence: number, seconds: number): Uint8Array => {
  const samples = Int16Array.from(
    { length: Math.round(RATE * seconds) },
    (_, n) => 6_000 * Math.sin((2 * Math.PI * 440 * sentence * n) / RATE)
  )
  return new Uint8Array(samples.buffer)
}

type Asked = EventOf<"text.transcribed">
const base = ({ mode, session, unit }: { mode: Asked["mode"]; session: string; unit: number }) => ({ v: 1, mode, session, unit }) as const
const engine = { engine: "scripted", model: "scripted", modelSha256: "", computeMs: 1, threads: 1 } as const

const understood = (event: EventOf<"audio.captured">): Event =>
  (event.samples ?? 0) <= QUIET_SAMPLES
    ? { _tag: "text.rejected", ...base(event), ...engine, start: 0, end: event.samples ?? 0, reason: "no_speech", text: "" }
    : {
        _tag: "text.transcribed",
        ...base(event),
        ...engine,
        start: 0,
        end: event.samples ?? 0,
        text: HEARD,
        segments: [],
        language: "en",
        languageProbability: 1,
        confidence: 0.9,
        config: event.config
      }

const drafted = (asked: Asked, sentence: number, text: string): Event => ({
  _tag: "reply.drafted",
  ...base(asked),
  sentence,
  text,
  generation: 0,
  config: asked.config
})

const ready = (asked: Asked, sentences: ReadonlyArray<string>): Event => ({
  _tag: "reply.ready",
  ...base(asked),
  text: sentences.join(" "),
  sentences: sentences.length,
  engine: "scripted",
  model: "scripted",
  contextSha256: "0".repeat(64),
  usage: { promptTokens: 1, completionTokens: 1 },
  firstTokenMs: 1,
  computeMs: 1,
  finish: "stop",
  generation: 0
})

const spoken = Effect.fnUntraced(function* (asked: Asked, sentence: number, text: string, seconds: number) {
  const blobs = yield* Blobs
  const pcm = tone(sentence, seconds)
  const audio = yield* blobs.put(asked, pcm, "audio/pcm")
  const event: Event = {
    _tag: "speech.synthesized",
    ...base(asked),
    sentence,
    text,
    audio,
    sampleRate: RATE,
    samples: pcm.length / 2,
    engine: "scripted",
    voice: "sine",
    computeMs: 1,
    generation: 0
  }
  return event
})

/** `nothing`: silence for ever. `broken`: fails. `pause`: a second between the sentences. Anything else: an answer. */
const answered = (asked: Asked): Stream.Stream<Event, Terminal | Effect.Error<ReturnType<typeof spoken>>, Blobs> => {
  const [one, two] = SENTENCES
  if (asked.text.includes("nothing")) return Stream.empty
  if (asked.text.includes("broken"))
    return Stream.fail(new Terminal({ code: "engine.unavailable", message: "There is no language model." }))
  if (asked.text.includes("pause")) {
    return Stream.make(drafted(asked, 1, one)).pipe(
      Stream.concat(Stream.fromEffect(spoken(asked, 1, one, 0.5))),
      Stream.concat(Stream.fromEffect(Effect.delay(spoken(asked, 2, two, 0.5), "1 second"))),
      Stream.concat(Stream.make(drafted(asked, 2, two), ready(asked, SENTENCES)))
    )
  }
  return Stream.make(drafted(asked, 1, one), drafted(asked, 2, two)).pipe(
    Stream.concat(Stream.fromEffect(spoken(asked, 2, two, 0.5))),
    // Longer than one frame of the socket.
    Stream.concat(Stream.fromEffect(spoken(asked, 1, one, 2))),
    Stream.concat(Stream.make(ready(asked, SENTENCES)))
  )
}

export const scriptedActor = Actor.make<Blobs>({
  name: "scripted",
  logicVersion: 1,
  consumes: [{ mode: "assistant", tags: ["audio.captured", "text.transcribed"], concurrency: 4 }],
  publishes: ["text.transcribed", "text.rejected", "reply.drafted", "reply.ready", "speech.synthesized"],
  handle: (event) => {
    if (event._tag === "audio.captured") return Stream.make(understood(event))
    return event._tag === "text.transcribed" ? answered(event) : Stream.empty
  }
})
