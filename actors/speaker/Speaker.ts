/**
 * The speaker: each sentence of an answer becomes audio, in order. A sentence of a cancelled turn is left out; one with
 * nothing to say gives audio of 0 samples, so that a player can count sentences.
 */
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import type { Event, EventOf } from "../../contract/Events.ts"
import * as Actor from "../../kernel/Actor.ts"
import type { ActorContext } from "../../kernel/Actor.ts"
import { Blobs } from "../../kernel/Blobs.ts"
import { Engines } from "./Engines.ts"
import { toBytes } from "./Pcm.ts"
import { Settings } from "../../kernel/Settings.ts"

type Drafted = EventOf<"reply.drafted">

/** One look-up, a millisecond at most: cheap beside the 100 ms that a stale sentence would cost. */
const isCancelled = ({ unit, generation }: Drafted, context: ActorContext) =>
  Effect.map(context.history(["turn.cancelled"]), (events) =>
    events.some(({ event }) => event.unit === unit && event.generation >= generation)
  )

const speak = Effect.fnUntraced(function* (drafted: Drafted, context: ActorContext) {
  if (yield* isCancelled(drafted, context)) return Stream.empty
  const engines = yield* Engines
  const blobs = yield* Blobs
  const { engine: name, voice, speed } = drafted.config.speaker
  const engine = engines.pick(name)
  const { pcm, sampleRate, computeMs } = yield* engine.synthesize({ text: drafted.text, voice, speed })
  const audio = yield* blobs.put(drafted, toBytes(pcm), `audio/x-pcm;rate=${sampleRate}`)
  return Stream.succeed<Event>({
    _tag: "speech.synthesized",
    v: 1,
    mode: drafted.mode,
    session: drafted.session,
    unit: drafted.unit,
    sentence: drafted.sentence,
    text: drafted.text,
    audio,
    sampleRate,
    samples: pcm.length,
    engine: engine.name,
    voice,
    computeMs,
    generation: drafted.generation
  })
})

export const speakerActor: Actor.Actor<Engines | Blobs | Settings> = Actor.make<Engines | Blobs | Settings>({
  name: "speaker",
  logicVersion: 1,
  // One at a time: the sentences of an answer stay in order.
  consumes: [{ mode: "assistant", tags: ["reply.drafted"], concurrency: 1 }],
  publishes: ["speech.synthesized"],
  // Without a voice the answers are still shown: each sentence fails with a message that says what to do.
  prepare: Effect.gen(function* () {
    const engines = yield* Engines
    const { session } = yield* Settings
    yield* engines.pick(session.speaker.engine).prepare(session.speaker.voice)
  }).pipe(
    Effect.catch((failure) => Effect.logWarning("no voice yet").pipe(Effect.annotateLogs({ code: failure.code, reason: failure.message })))
  ),
  handle: (event, context) => (event._tag === "reply.drafted" ? Stream.unwrap(speak(event, context)) : Stream.empty)
})
