/**
 * The input audio of a realtime client: a buffer that the client commits, or, with turn detection, turns that the voice
 * activity detector finds. What is heard goes to the log as it comes, so nothing has to be sent when a turn ends.
 */
import * as Effect from "effect/Effect"
import { Vad } from "../../../actors/normalizer/index.ts"
import { type Recorder, type Session, type Take } from "../../../actors/capture/index.ts"
import { type Failure, Terminal } from "../../../kernel/Failure.ts"
import { joined, pushResampler } from "../../../kernel/Media.ts"
import { makeUtterance, type Utterance } from "../../Utterance.ts"
import { bytesOf, samplesOf } from "../Speech.ts"
import type { Detection } from "./Preferences.ts"
import { RATE } from "./Protocol.ts"

const FORMAT = { sampleRate: RATE, channels: 1 }
const msOf = (samples: number) => Math.round((samples * 1000) / RATE)
/** Speech is noticed some windows after it begins: so much more audio is kept before it, ms. */
const NOTICED_MS = 200

/** What the ear noticed. Times are ms from the first sample of the connection. */
export type Noticed =
  | { readonly _tag: "started"; readonly atMs: number }
  /** Unit of the turn on the log. */
  | { readonly _tag: "committed"; readonly unit: number; readonly seconds: number; readonly stoppedAtMs: number | undefined }

export interface Listener {
  readonly append: (audio: string, detection: Detection | undefined) => Effect.Effect<ReadonlyArray<Noticed>, Failure>
  readonly commit: Effect.Effect<ReadonlyArray<Noticed>, Failure>
  readonly clear: Effect.Effect<void>
}

/** @param session as of now: its configuration goes with the turn */
export const makeListener = Effect.fnUntraced(function* (recorder: Recorder["Service"], session: Effect.Effect<Session>) {
  const vad = yield* Vad
  const detector = yield* vad.detector
  const resampler = yield* pushResampler
  let total = 0
  let heard = 0
  let lastSpeech = 0
  let open: { readonly utterance: Utterance; readonly from: number } | undefined
  /** The newest audio that belongs to no turn yet. */
  let before: Array<Int16Array> = []

  const begin = Effect.gen(function* () {
    const take: Take = yield* recorder.take(yield* session, FORMAT)
    open = { utterance: makeUtterance(take, FORMAT), from: total }
    return open
  })

  const finish = Effect.fnUntraced(function* (stoppedAtMs: number | undefined) {
    const was = open
    open = undefined
    if (was === undefined) return []
    const { unit } = yield* was.utterance.finish
    const noticed: Noticed = { _tag: "committed", unit, seconds: heard / RATE, stoppedAtMs }
    heard = 0
    return [noticed]
  })

  const keepBefore = (pcm: Int16Array, ms: number) => {
    const most = ((ms + NOTICED_MS) * RATE) / 1000
    const all = joined([...before, pcm])
    before = [all.slice(Math.max(0, all.length - most))]
  }

  const take = Effect.fnUntraced(function* ({ utterance }: { readonly utterance: Utterance }, pcm: Int16Array) {
    heard += pcm.length
    yield* utterance.frame(bytesOf(pcm))
  })

  const detect = Effect.fnUntraced(function* (pcm: Int16Array, { prefixMs, silenceMs }: Detection) {
    const { speaking } = detector.push(resampler.push(pcm, RATE, 1))
    if (speaking) lastSpeech = total
    if (open === undefined) {
      keepBefore(pcm, prefixMs)
      if (!speaking) return []
      const padding = joined(before)
      before = []
      const began = yield* begin
      yield* take(began, padding)
      const noticed: Noticed = { _tag: "started", atMs: Math.max(0, msOf(total - padding.length)) }
      return [noticed]
    }
    yield* take(open, pcm)
    return msOf(total - lastSpeech) >= silenceMs ? yield* finish(msOf(total)) : []
  })

  const listener: Listener = {
    append: Effect.fnUntraced(function* (audio, detection) {
      const pcm = samplesOf(Buffer.from(audio, "base64"))
      if (pcm.length === 0) return []
      total += pcm.length
      if (detection !== undefined) return yield* detect(pcm, detection)
      yield* take(open ?? (yield* begin), pcm)
      return []
    }),
    commit: Effect.gen(function* () {
      if (open === undefined)
        return yield* new Terminal({ code: "audio.empty", message: "The input audio buffer is empty: there is nothing to commit." })
      return yield* finish(undefined)
    }),
    clear: Effect.sync(() => {
      open = undefined
      heard = 0
      before = []
    })
  }
  return listener
})
