/**
 * Piper voices through sherpa-onnx: 2 s of speech in 150 ms on one thread.
 *
 * The runtime fixes the threads of a voice when it loads it, so a voice is loaded once per number of threads it was
 * granted (each costs about 80 MB). Gotcha: a voice draws its intonation at random, so the same
 * sentence sounds and lasts a little different each time.
 */
import * as Effect from "effect/Effect"
import * as Semaphore from "effect/Semaphore"
import { Cores } from "../../../kernel/Cores.ts"
import { describe, type Failure, Retryable, Terminal } from "../../../kernel/Failure.ts"
import { type InstalledModel, Models } from "../../../kernel/Models.ts"
import { loadSherpa, type SherpaTts } from "../../../kernel/Sherpa.ts"
import type { Engine, SpeechRequest } from "../Engine.ts"
import { toInt16, trimLead, trimTail } from "../Pcm.ts"

/**
 * Threads to ask for. More than two gain nothing on sentences, and one core is left to the language model, which speaks
 * on beside it: on two cores one thread takes 150 ms for 2 s of speech, two take 60 ms alone and 300-800 ms beside others.
 */
const threadsOf = (cores: number) => Math.max(1, Math.min(2, cores - 1))

const load = (model: InstalledModel, threads: number) =>
  Effect.try({
    try: () =>
      new (loadSherpa().OfflineTts)({
        model: {
          vits: { model: model.path("model"), tokens: model.path("tokens"), dataDir: model.path("espeak") },
          numThreads: threads,
          provider: "cpu",
          debug: false
        },
        maxNumSentences: 1
      }),
    catch: (cause) =>
      new Terminal({
        code: "engine.unavailable",
        message: `The voice ${model.name} cannot be loaded: ${describe(cause)}. Run: npx voxbus doctor`,
        cause
      })
  })

/** Letters or digits: anything else (an ellipsis, an emoji) is not speech, but a voice would still read it out. */
const isSpeakable = (text: string): boolean => /[\p{L}\p{N}]/u.test(text)

/** A phrase and not a whole sentence: the next one follows without a pause. */
const goesOn = (text: string): boolean => /[\p{L}\p{N}]$/u.test(text)

/** An interrupt waits for the native call, so that no thread computes after its lease is back. */
const compute = (voice: SherpaTts, { text, speed }: SpeechRequest) =>
  Effect.uninterruptible(
    Effect.tryPromise({
      try: () => voice.generateAsync({ text, sid: 0, speed }),
      catch: (cause) => new Retryable({ code: "engine.failed", message: `The voice failed on a sentence: ${describe(cause)}`, cause })
    })
  )

export const piper = Effect.gen(function* () {
  const models = yield* Models
  const cores = yield* Cores
  const loading = yield* Semaphore.make(1)
  const loaded = new Map<string, SherpaTts>()

  const voiceOf = (name: string, threads: number): Effect.Effect<SherpaTts, Failure> =>
    Effect.gen(function* () {
      const key = `${name}/${threads}`
      const known = loaded.get(key)
      if (known !== undefined) return known
      const voice = yield* load(yield* models.locate(name), threads)
      loaded.set(key, voice)
      return voice
    }).pipe(Semaphore.withPermits(loading, 1))

  const lease = { holder: "speaker/piper", lane: "interactive", want: threadsOf(cores.total) } as const

  const engine: Engine = {
    name: "piper-local",
    // The first run of a voice takes twice as long as the next: it is spent on a word nobody hears.
    prepare: (name) =>
      Effect.gen(function* () {
        yield* voiceOf(name, lease.want)
        yield* cores.lease(
          lease,
          Effect.fnUntraced(function* ({ threads }) {
            yield* compute(yield* voiceOf(name, threads), { text: "Ready.", voice: name, speed: 1 })
          })
        )
      }),
    synthesize: (request) =>
      Effect.gen(function* () {
        if (!isSpeakable(request.text)) {
          const { sampleRate } = yield* voiceOf(request.voice, lease.want)
          return { pcm: new Int16Array(0), sampleRate, computeMs: 0 }
        }
        return yield* cores.lease(
          lease,
          Effect.fnUntraced(function* ({ threads }) {
            const voice = yield* voiceOf(request.voice, threads)
            const startedAt = performance.now()
            const { samples, sampleRate } = yield* compute(voice, request)
            return {
              pcm: toInt16(goesOn(request.text) ? trimTail(trimLead(samples, sampleRate), sampleRate) : trimLead(samples, sampleRate)),
              sampleRate,
              computeMs: performance.now() - startedAt
            }
          })
        )
      })
  }
  return engine
})
