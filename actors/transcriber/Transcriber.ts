/**
 * The transcriber: every `audio.normalized` ends in one `text.transcribed` or one `text.rejected`.
 *
 * Turns of the assistant take the interactive lane, chunks of calls the batch lane; each lane is a consumer of its own,
 * so an utterance never waits behind a long file. Silence is rejected without asking an engine.
 */
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import type { Event, EventOf } from "../../contract/Events.ts"
import * as Actor from "../../kernel/Actor.ts"
import { Blobs } from "../../kernel/Blobs.ts"
import { Settings } from "../../kernel/Settings.ts"
import { Engines } from "./Engines.ts"
import { judge } from "./Verdict.ts"
import * as Windows from "./Windows.ts"

type Normalized = EventOf<"audio.normalized">

/** What both outcomes share with the chunk. */
const chunkOf = ({ mode, session, unit, start, end }: Normalized) => ({ v: 1, mode, session, unit, start, end }) as const

const silence = (chunk: Normalized): Event => ({
  _tag: "text.rejected",
  ...chunkOf(chunk),
  engine: "none",
  model: chunk.config.transcriber.model,
  modelSha256: "",
  computeMs: 0,
  threads: 0,
  reason: "silence",
  text: ""
})

const transcribe = Effect.fnUntraced(function* (chunk: Normalized) {
  if (chunk.speechRatio === 0) return silence(chunk)
  const blobs = yield* Blobs
  const engines = yield* Engines
  const options = chunk.config.transcriber
  const pcm = yield* blobs.get(chunk, chunk.audio)
  const engine = yield* engines.pick(options)
  const result = yield* Windows.transcribe(engine, {
    lane: chunk.mode === "assistant" ? "interactive" : "batch",
    pcm,
    start: chunk.start,
    speech: chunk.speech,
    options
  })
  const { model, modelSha256, computeMs, threads, language, languageProbability } = result
  const facts = { engine: engine.name, model, modelSha256, computeMs, threads }
  const verdict = judge(result, chunk)
  const event: Event =
    verdict._tag === "rejected"
      ? { ...verdict, ...chunkOf(chunk), ...facts, _tag: "text.rejected" }
      : { ...verdict, ...chunkOf(chunk), ...facts, _tag: "text.transcribed", language, languageProbability, config: chunk.config }
  return event
})

/** Half a second of faint noise, the same every time: enough to touch every page of a model. */
const warmUp = (): Uint8Array =>
  new Uint8Array(Int16Array.from({ length: 8_000 }, (_, i) => Math.round(300 * Math.sin(i * i * 0.013))).buffer)

export const transcriberActor: Actor.Actor<Engines | Blobs | Settings> = Actor.make<Engines | Blobs | Settings>({
  name: "transcriber",
  logicVersion: 1,
  consumes: [
    { mode: "assistant", tags: ["audio.normalized"], concurrency: 2 },
    { mode: "call", tags: ["audio.normalized"], concurrency: 4 }
  ],
  publishes: ["text.transcribed", "text.rejected"],
  // Without a model the bus still runs; each chunk fails with a message that says what to do.
  prepare: Effect.gen(function* () {
    const engines = yield* Engines
    const options = (yield* Settings).session.transcriber
    const engine = yield* engines.pick(options)
    yield* engine.prepare(options.model)
    yield* engine.transcribe({ lane: "interactive", pcm: warmUp(), start: 0, speech: [], options })
  }).pipe(
    Effect.asVoid,
    Effect.catch((failure) =>
      Effect.logWarning("no speech recognition yet").pipe(Effect.annotateLogs({ code: failure.code, reason: failure.message }))
    )
  ),
  handle: (event) => (event._tag === "audio.normalized" ? Stream.fromEffect(transcribe(event)) : Stream.empty)
})
