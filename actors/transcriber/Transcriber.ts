/**
 * The transcriber: every `audio.normalized` ends in one `text.transcribed` or one `text.rejected`.
 *
 * Turns of the assistant take the interactive lane, chunks of calls the batch lane; each lane is a consumer of its own,
 * so an utterance never waits behind a long file. Silence is rejected without asking an engine. What was said up to a
 * pause (`audio.previewed`) is transcribed ahead and said as `text.partial`.
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import type { Event, EventOf } from "../../contract/Events.ts"
import * as Actor from "../../kernel/Actor.ts"
import { Blobs } from "../../kernel/Blobs.ts"
import type { Failure } from "../../kernel/Failure.ts"
import { Settings } from "../../kernel/Settings.ts"
import { type Ahead, makeAhead } from "./Ahead.ts"
import type { EngineRequest } from "./Engine.ts"
import { Engines } from "./Engines.ts"
import { type Served, transcribeOnAny } from "./Fallback.ts"
import { pin, standing } from "./Pinned.ts"
import { makeRemembered } from "./Remembered.ts"
import { judge } from "./Verdict.ts"
import { beginsWith, isAwake } from "./WakeWord.ts"

type Normalized = EventOf<"audio.normalized">
type Previewed = EventOf<"audio.previewed">

/** What both outcomes share with the chunk. */
const chunkOf = ({ mode, session, unit, start, end, version }: Normalized) =>
  ({ v: 1, mode, session, unit, start, end, ...(version === undefined ? {} : { version }) }) as const

/** Rejected without asking an engine. */
const unasked = (chunk: Normalized, reason: "silence" | "cancelled"): Event => ({
  _tag: "text.rejected",
  ...chunkOf(chunk),
  engine: "none",
  model: chunk.config.transcriber.model,
  modelSha256: "",
  computeMs: 0,
  threads: 0,
  reason,
  text: ""
})

/** One for the process: its calls share what was heard. */
const remembered = makeRemembered()

const recognise = Effect.fnUntraced(function* (chunk: Normalized | Previewed, language: string) {
  const blobs = yield* Blobs
  const engines = yield* Engines
  const maxAgeMs = (yield* Settings.current).host.transcriptMinutes * 60_000
  const request: EngineRequest = {
    lane: chunk.mode === "assistant" ? "interactive" : "batch",
    pcm: yield* blobs.get(chunk, chunk.audio),
    start: chunk.start,
    speech: chunk.speech,
    options: { ...chunk.config.transcriber, language }
  }
  const before = remembered.find(request, yield* Clock.currentTimeMillis, maxAgeMs)
  if (before !== undefined) return before
  const served = yield* transcribeOnAny(engines.pick, request)
  remembered.keep(request, served, yield* Clock.currentTimeMillis, maxAgeMs)
  return served
})

const outcome = (chunk: Normalized, { result, engine }: Served, aheadMs = 0): Event => {
  const { model, modelSha256, computeMs, threads, language, languageProbability } = result
  const facts = { engine: result.engine ?? engine, model, modelSha256, computeMs, threads }
  const { prompt, hotwords } = chunk.config.transcriber
  const verdict = judge(result, { ...chunk, prompt: `${hotwords} ${prompt}` })
  return verdict._tag === "rejected"
    ? { ...verdict, ...chunkOf(chunk), ...facts, _tag: "text.rejected" }
    : {
        ...verdict,
        ...chunkOf(chunk),
        ...facts,
        _tag: "text.transcribed",
        language,
        languageProbability,
        ...(aheadMs > 0 ? { aheadMs } : {}),
        config: chunk.config
      }
}

/** The words of a chunk in the language of the call, and before them the pin, if it is this chunk that is the first to be sure. */
const heard = (chunk: Normalized, context: Actor.ActorContext): Stream.Stream<Event, Failure, Engines | Blobs | Settings> =>
  Stream.unwrap(
    Effect.gen(function* () {
      const { language, languageDetection } = chunk.config.transcriber
      const free = language === "auto" && languageDetection === "session"
      const pinned = free ? (yield* standing(context)).pinned?.language : undefined
      const served = yield* recognise(chunk, pinned ?? language)
      const event = outcome(chunk, served)
      if (!free || pinned !== undefined) return Stream.make(event)
      // Another chunk may have been sure meanwhile: a call does not change its language by mistake.
      const settled = Effect.gen(function* () {
        const now = (yield* standing(context)).pinned?.language ?? served.result.language
        return now === served.result.language ? event : outcome(chunk, yield* recognise(chunk, now))
      })
      const pins = event._tag === "text.transcribed" ? pin(chunk, served.result) : []
      return Stream.concat(Stream.fromIterable(pins), Stream.fromEffect(settled))
    })
  )

/** A chunk of a call. One that had published its pin before it died publishes it again, so that its outputs keep their numbers. */
const transcribeChunk = (chunk: Normalized, context: Actor.ActorContext): Stream.Stream<Event, Failure, Engines | Blobs | Settings> =>
  Stream.unwrap(
    Effect.map(standing(context), ({ pinned, cancelled }) => {
      const again = pinned?.unit === chunk.unit ? [pinned] : []
      const rest = cancelled
        ? Stream.make(unasked(chunk, "cancelled"))
        : chunk.speechRatio === 0
          ? Stream.make(unasked(chunk, "silence"))
          : heard(chunk, context)
      return Stream.concat(Stream.fromIterable<Event>(again), rest)
    })
  )

/** What was not said to the assistant is rejected, and its words are forgotten. */
const addressed = Effect.fnUntraced(function* (event: Event, chunk: Normalized, context: Actor.ActorContext) {
  const { wakeWord } = chunk.config.transcriber
  if (event._tag !== "text.transcribed" || wakeWord === "" || beginsWith(event.text, wakeWord)) return event
  if (yield* isAwake(context, chunk.config.transcriber)) return event
  const { engine, model, modelSha256, computeMs, threads } = event
  const rejected: EventOf<"text.rejected"> = {
    _tag: "text.rejected",
    ...chunkOf(chunk),
    engine,
    model,
    modelSha256,
    computeMs,
    threads,
    reason: "no_wake_word",
    text: ""
  }
  return rejected
})

const keyOf = ({ session, start, audio, speech, config }: Normalized | Previewed) =>
  JSON.stringify([session, start, audio.sha256, speech, config.transcriber])

/** One process of the actor has one. */
const ahead: Ahead<Served> = makeAhead(({ result }) => result.computeMs)

const recogniseTurn = (chunk: Normalized | Previewed) =>
  Effect.map(Effect.context<Engines | Blobs | Settings>(), (services) =>
    Effect.provide(recognise(chunk, chunk.config.transcriber.language), services)
  )

/** A turn of the assistant: each utterance by itself. */
const transcribeTurn = Effect.fnUntraced(function* (chunk: Normalized, context: Actor.ActorContext) {
  if (chunk.speechRatio === 0) return unasked(chunk, "silence")
  const { result, aheadMs } = yield* ahead.take(keyOf(chunk), yield* recogniseTurn(chunk))
  return yield* addressed(outcome(chunk, result, aheadMs), chunk, context)
})

/** Empty text for what has no words so far. Nothing is said of a failure: the turn itself will tell. */
const preview = Effect.fnUntraced(
  function* (chunk: Previewed) {
    // What may not be meant for the assistant leaves no words.
    if (chunk.config.transcriber.wakeWord !== "") return Stream.empty
    // Another machine charges for every pause.
    if ((yield* (yield* Engines).pick(chunk.config.transcriber)).remote === true) return Stream.empty
    const { result } = yield* ahead.begin(keyOf(chunk), yield* recogniseTurn(chunk))
    const spoken = chunk.speech.reduce((sum, { start, end }) => sum + end - start, 0)
    const { prompt, hotwords } = chunk.config.transcriber
    const verdict = judge(result, {
      speech: chunk.speech,
      speechRatio: spoken / (chunk.end - chunk.start),
      prompt: `${hotwords} ${prompt}`
    })
    const { mode, session, unit, revision, likely, config } = chunk
    return Stream.make<[Event]>({
      _tag: "text.partial",
      v: 1,
      mode,
      session,
      unit,
      revision,
      text: verdict._tag === "rejected" ? "" : verdict.text,
      language: result.language,
      likely,
      config
    })
  },
  Effect.catch(() => Effect.succeed(Stream.empty))
)

/** Half a second of faint noise, the same every time: enough to touch every page of a model. */
const warmUp = (): Uint8Array =>
  new Uint8Array(Int16Array.from({ length: 8_000 }, (_, i) => Math.round(300 * Math.sin(i * i * 0.013))).buffer)

export const transcriberActor: Actor.Actor<Engines | Blobs | Settings> = Actor.make<Engines | Blobs | Settings>({
  name: "transcriber",
  logicVersion: 2,
  consumes: [
    // Two pauses may be at work when the turn ends.
    { mode: "assistant", tags: ["audio.normalized", "audio.previewed"], concurrency: 4 },
    { mode: "call", tags: ["audio.normalized"], concurrency: 4 }
  ],
  publishes: ["language.pinned", "text.transcribed", "text.rejected", "text.partial"],
  // Without a model the bus still runs; each chunk fails with a message that says what to do.
  prepare: Effect.gen(function* () {
    const engines = yield* Engines
    const options = (yield* Settings).session.transcriber
    const engine = yield* engines.pick(options)
    yield* engine.prepare(options.model)
    if (engine.remote !== true) yield* engine.transcribe({ lane: "interactive", pcm: warmUp(), start: 0, speech: [], options })
  }).pipe(
    Effect.asVoid,
    Effect.catch((failure) =>
      Effect.logWarning("no speech recognition yet").pipe(Effect.annotateLogs({ code: failure.code, reason: failure.message }))
    )
  ),
  handle: (event, context): Stream.Stream<Event, Failure, Engines | Blobs | Settings> => {
    if (event._tag === "audio.previewed") return Stream.unwrap(preview(event))
    if (event._tag !== "audio.normalized") return Stream.empty
    return event.mode === "call" ? transcribeChunk(event, context) : Stream.fromEffect(transcribeTurn(event, context))
  }
})
