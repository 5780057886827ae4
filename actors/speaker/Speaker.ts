/**
 * The speaker: each sentence of an answer becomes audio, in order. A sentence of a cancelled turn is left out; one with
 * nothing to say gives audio of 0 samples, so that a player can count sentences.
 *
 * The order is that of the log, not of this process: after a crash the second sentence may be delivered before the first,
 * and so it may with two speakers. It is then given back for a moment.
 */
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import type { Event, EventOf } from "../../contract/Events.ts"
import * as Actor from "../../kernel/Actor.ts"
import type { ActorContext } from "../../kernel/Actor.ts"
import { Blobs } from "../../kernel/Blobs.ts"
import { Retryable } from "../../kernel/Failure.ts"
import { Engines } from "./Engines.ts"
import { toBytes } from "./Pcm.ts"
import { Settings } from "../../kernel/Settings.ts"

type Drafted = EventOf<"reply.drafted">

/** Milliseconds until a sentence asks again whether the one before it was spoken; longer each time. */
const WAIT_MS = 200
const LONGEST_WAIT_MS = 5_000

/**
 * Whether the sentence is stale, may be spoken, or comes too early. One look-up, a millisecond at most: cheap beside the
 * 100 ms that a stale sentence would cost.
 */
const standing = ({ unit, generation, sentence }: Drafted, context: ActorContext) =>
  Effect.map(context.history(["turn.cancelled", "speech.synthesized", "error.raised"]), (past) => {
    const events = past.map(({ event }) => event)
    if (events.some((event) => event._tag === "turn.cancelled" && event.unit === unit && event.generation >= generation)) return "stale"
    const before = events.some(
      (event) =>
        (event._tag === "speech.synthesized" && event.unit === unit && event.sentence === sentence - 1) ||
        // Without its audio the rest is still spoken.
        (event._tag === "error.raised" && event.unit === unit && event.actor === "speaker")
    )
    return sentence === 1 || before ? "due" : "early"
  })

const speak = Effect.fnUntraced(function* (drafted: Drafted, context: ActorContext) {
  const now = yield* standing(drafted, context)
  if (now === "stale") return Stream.empty
  if (now === "early") {
    return yield* new Retryable({
      code: "bus.unavailable",
      message: "The sentence before this one is not on the log yet.",
      delayMs: Math.min(LONGEST_WAIT_MS, WAIT_MS * context.attempt)
    })
  }
  const engines = yield* Engines
  const blobs = yield* Blobs
  const { engine: name, voices, speed, ...usual } = drafted.config.speaker
  const voice = voices[drafted.language ?? ""] ?? usual.voice
  const engine = engines.pick(name)
  const { pcm, sampleRate, computeMs, ...who } = yield* engine.synthesize({ text: drafted.text, voice, speed })
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
    engine: who.engine ?? engine.name,
    voice: who.voice ?? voice,
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
  handle: (event, context) =>
    event._tag === "reply.drafted" && event.config.until === "speech" ? Stream.unwrap(speak(event, context)) : Stream.empty
})
