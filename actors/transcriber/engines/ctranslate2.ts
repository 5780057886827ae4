/**
 * The default engine: CTranslate2 in a supervised Python process (`ctranslate2_worker.py`).
 *
 * Decoding is a chain of small matrix products that a second thread slows down (measured on 2 cores), so every pass
 * runs with one thread and the lanes scale by passes: one per core, two chunks each. Only an utterance's encoder is
 * given more threads, where a machine has four cores or more. The result does not depend on the pass or the threads.
 */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { fileURLToPath } from "node:url"
import { Cores, type CoreRequest, type Lease } from "../../../kernel/Cores.ts"
import { Models } from "../../../kernel/Models.ts"
import type { Engine, EngineRequest, EngineResult } from "../Engine.ts"
import * as Batcher from "./Batcher.ts"
import * as Child from "./Child.ts"

const HOLDER = "transcriber/ctranslate2"
const SCRIPT = fileURLToPath(new URL("ctranslate2_worker.py", import.meta.url))

/**
 * Encoder frames are 10 ms. With less than 10 s of window, or 4 s of silence after the words, the decoder says short
 * utterances twice ("No. No.") and takes them for other languages; 10 s costs 35 ms more than 6 s.
 */
const LEAST = 1_000
const MARGIN = 400
const FULL = 3_000
const seconds = (request: EngineRequest) => request.pcm.length / 32_000

/** The window of the encoder. For chunks in steps of 5 s, so that chunks of about the same length share a pass. */
export const framesFor = (request: EngineRequest): number => {
  const needed = Math.max(LEAST, Math.ceil(seconds(request) * 100) + MARGIN)
  if (request.lane === "interactive") return Math.min(FULL, needed + (needed % 2))
  return needed > 2_000 ? FULL : Math.ceil(needed / 500) * 500
}

const Sample = Schema.Int
const ClipReply = Schema.Struct({
  words: Schema.Array(Schema.Tuple([Sample, Sample, Schema.String, Schema.Finite])),
  language: Schema.String,
  languageProbability: Schema.Finite,
  avgLogprob: Schema.Finite,
  noSpeechProbability: Schema.Finite
})
const Loaded = Schema.Struct({ computeMs: Schema.Finite })
const Transcribed = Schema.Struct({ computeMs: Schema.Finite, clips: Schema.Array(ClipReply) })

/** Powers of two, because each number of threads is a copy of the encoder in memory. */
const encoderThreads = (granted: number): number => (granted >= 4 ? 4 : granted >= 2 ? 2 : 1)

/** Starts nothing yet: the process comes with the first `prepare` or request. */
export const make = Effect.gen(function* () {
  const models = yield* Models
  const cores = yield* Cores
  const passes = Math.min(6, cores.total)
  const child = yield* Child.make(
    "ctranslate2",
    Effect.map(models.locate("python-ctranslate2"), (python) => ({
      file: python.path("python"),
      args: ["-s", SCRIPT],
      // glibc keeps an arena per thread otherwise, each with the scratch memory of a pass in it.
      env: { MALLOC_ARENA_MAX: "2", ...(python.files["site"] === undefined ? {} : { PYTHONPATH: python.path("site") }) }
    }))
  )

  const pass = Effect.fnUntraced(function* (requests: ReadonlyArray<EngineRequest>, lease: Lease) {
    const [first] = requests
    if (first === undefined) return []
    const model = yield* models.locate(first.options.model)
    const threads = encoderThreads(lease.threads)
    yield* lease.shrink(threads)
    const reply = yield* child.request(
      Transcribed,
      {
        op: "transcribe",
        path: model.folder,
        passes,
        threads,
        frames: framesFor(first),
        options: first.options,
        clips: requests.map(({ pcm, speech, start }) => ({
          bytes: pcm.length,
          speech: speech.map((span) => [span.start - start, span.end - start])
        }))
      },
      Buffer.concat(requests.map((request) => request.pcm))
    )
    const total = requests.reduce((sum, request) => sum + seconds(request), 0)
    return requests.flatMap((request, i): ReadonlyArray<EngineResult> => {
      const clip = reply.clips[i]
      if (clip === undefined) return []
      return [
        {
          ...clip,
          words: clip.words.map(([start, end, word, probability]) => ({
            start: request.start + start,
            end: request.start + end,
            word,
            probability
          })),
          temperature: 0,
          computeMs: (reply.computeMs * seconds(request)) / total,
          threads,
          model: model.name,
          modelSha256: model.sha256
        }
      ]
    })
  })

  const interactive: CoreRequest = { holder: HOLDER, lane: "interactive", want: cores.total >= 4 ? 4 : 1 }
  const batch = yield* Batcher.make<EngineRequest, EngineResult>({
    slots: Math.min(4, cores.total),
    most: 2,
    lingerMs: 10,
    key: (request) => JSON.stringify([framesFor(request), request.options]),
    lease: (use) => cores.lease({ holder: HOLDER, lane: "batch", want: 1 }, use),
    pass
  })
  // Last, so that it runs first: a pass cannot be interrupted, but it ends when its process does.
  yield* Effect.addFinalizer(() => child.stop)

  const engine: Engine = {
    name: "ctranslate2",
    pid: child.pid,
    prepare: Effect.fnUntraced(function* (name: string) {
      const model = yield* models.locate(name)
      yield* child.request(Loaded, { op: "load", path: model.folder, passes })
    }),
    transcribe: (request) =>
      request.lane === "batch"
        ? batch(request)
        : cores
            .lease(interactive, (lease) => Effect.uninterruptible(pass([request], lease)))
            .pipe(Effect.flatMap(([result]) => (result === undefined ? Effect.die("a pass without result") : Effect.succeed(result))))
  }
  return engine
})
