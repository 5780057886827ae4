/**
 * Hands-free: a microphone that is always open. Finds the questions in it, and what is only a noise.
 *
 * Speech while an answer is thought or played holds the answer at once (`voice.started`). It ends the answer when there
 * are words in it, or when it goes on for `interruptMs`; else the answer goes on where it was (`voice.dropped`). An
 * "mhm" is no question either. Where the words are not known in time the speech counts: better to listen in vain.
 */
import * as Effect from "effect/Effect"
import type { Scope } from "effect/Scope"
import { Vad } from "../actors/normalizer/index.ts"
import type { Bytes } from "../kernel/Bus.ts"
import { type Failure, Terminal } from "../kernel/Failure.ts"
import * as Media from "../kernel/Media.ts"
import { type Endpoints, makeEndpointer } from "./Endpointing.ts"
import type { ServerMessage } from "./Protocol.ts"
import type { Format, Utterance } from "./Utterance.ts"

/** Milliseconds looked at in one go, whatever the client puts into a frame: how fast an answer is held. */
const PIECE_MS = 40
/** Milliseconds before the detector was sure that belong to the question: it needs 100, and speech begins softly. */
const BEFORE_MS = 400

/** What people say to show that they listen. */
const BACKCHANNEL = new Set(
  "mhm mm mmm hm hmm uh um ah oh huh uhhuh uh-huh mm-hmm yeah yes yep ok okay right sure ja genau aha ach so".split(" ")
)

/** Whether the words are more than a sign of listening. */
export const isWords = (text: string): boolean =>
  text
    .toLowerCase()
    .split(/[^\p{L}\p{N}'-]+/u)
    .some((word) => word !== "" && !BACKCHANNEL.has(word))

export interface Hooks {
  readonly say: (message: ServerMessage) => Effect.Effect<void>
  /** The microphone would hear the answer. */
  readonly muted: Effect.Effect<boolean>
  /** There is an answer to be interrupted. */
  readonly busy: () => boolean
  readonly begin: Effect.Effect<Utterance, Failure>
  /** Makes a turn of the utterance. */
  readonly finish: Effect.Effect<void, Failure>
  readonly drop: Effect.Effect<void>
  /** Ends every answer. */
  readonly interrupt: Effect.Effect<void, Failure>
}

interface Open {
  readonly utterance: Utterance
  /** It speaks into an answer; false once that is over. */
  undecided: boolean
  /** The newest verdict on its words. */
  words: boolean | undefined
}

export interface HandsFree {
  readonly frame: (pcm: Bytes) => Effect.Effect<void, Failure>
  /** What has been understood of the open utterance so far; empty when it holds no words. */
  readonly understood: (text: string) => Effect.Effect<void, Failure>
  /** Forgets what is being said. */
  readonly reset: Effect.Effect<void>
}

/** Lives as long as its scope. */
export const makeHandsFree = Effect.fnUntraced(function* (
  { sampleRate, channels }: Format,
  settings: Endpoints & { readonly interruptMs: number },
  hooks: Hooks
): Effect.fn.Return<HandsFree, Terminal, Vad | Scope> {
  const detector = yield* (yield* Vad).detector
  const resampler = yield* Media.pushResampler
  const endpointer = makeEndpointer(settings)
  const sampleBytes = 2 * channels
  const pieceBytes = Math.round((sampleRate * PIECE_MS) / 1000) * sampleBytes
  let before: Array<Bytes> = []
  let open: Open | undefined
  /** What was being said when it was to be forgotten is forgotten to its end. */
  let forgetting = false

  const speaking = (pcm: Bytes): boolean => {
    const samples = new Int16Array(pcm.length >> 1)
    new Uint8Array(samples.buffer).set(pcm.subarray(0, samples.byteLength))
    return detector.push(resampler.push(samples, sampleRate, channels)).speaking
  }

  const decide = Effect.fnUntraced(function* (now: Open) {
    // Speech recognition finds words in any noise.
    const enough = now.words === true ? settings.minSpeechMs : settings.interruptMs
    if (!now.undecided || endpointer.speech() < enough) return
    now.undecided = false
    yield* hooks.interrupt
  })

  const started = Effect.fnUntraced(function* () {
    yield* hooks.say({ type: "voice.started" })
    const undecided = hooks.busy()
    open = { utterance: yield* hooks.begin, undecided, words: undefined }
    for (const pcm of before) yield* open.utterance.frame(pcm)
    before = []
  })

  const dropped = Effect.andThen(
    Effect.sync(() => void (open = undefined)),
    Effect.andThen(hooks.drop, hooks.say({ type: "voice.dropped" }))
  )

  const ended = Effect.fnUntraced(function* (now: Open) {
    if (now.undecided && now.words === false) return yield* dropped
    if (now.undecided) yield* hooks.interrupt
    open = undefined
    yield* hooks.finish
  })

  const piece = Effect.fnUntraced(function* (pcm: Bytes) {
    if (!endpointer.open() && (yield* hooks.muted)) return void (before = [])
    const speaks = speaking(pcm)
    if (forgetting) return void (forgetting = speaks)
    const endpoint = endpointer.push((1000 * pcm.length) / sampleBytes / sampleRate, speaks)
    if (endpoint === "started") yield* started()
    if (open === undefined) {
      before = [...before, pcm].slice(-Math.ceil(BEFORE_MS / PIECE_MS))
      return
    }
    yield* open.utterance.frame(pcm)
    yield* decide(open)
    if (endpoint === "ended") yield* ended(open)
    if (endpoint === "dropped") yield* dropped
  })

  const reset = Effect.suspend(() => {
    before = []
    forgetting = open !== undefined
    endpointer.reset()
    return forgetting ? dropped : Effect.void
  })

  return {
    frame: Effect.fnUntraced(
      function* (pcm) {
        if (pcm.length % sampleBytes !== 0) {
          return yield* new Terminal({
            code: "input.invalid",
            message: `A frame of ${pcm.length} bytes is not whole samples: s16le with ${channels} channel(s) has ${sampleBytes} bytes each.`
          })
        }
        for (let at = 0; at < pcm.length; at += pieceBytes) yield* piece(pcm.subarray(at, at + pieceBytes))
      },
      // What cannot be recorded is over; the next word begins anew.
      Effect.tapError(() => reset)
    ),
    understood: (text) =>
      Effect.suspend(() => {
        if (open === undefined) return Effect.void
        open.words = isWords(text)
        return decide(open)
      }),
    reset
  }
})
