/**
 * The engine without Python: whisper.cpp through smart-whisper, in a supervised process (`whispercpp_process.ts`).
 *
 * One process holds the model for both lanes. ggml threads spin, so the granted number is used exactly; a chunk of a
 * call takes one thread (two jobs of one thread are the best throughput). An utterance leaves one core to the rest of
 * the machine: threads that wait for one that was pushed aside make 0.4 s into 10.
 */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { fileURLToPath } from "node:url"
import { Cores, type Lease } from "../../../kernel/Cores.ts"
import { Models } from "../../../kernel/Models.ts"
import type { Engine, EngineRequest, EngineResult } from "../Engine.ts"
import * as Child from "./Child.ts"

/** Each run allocates its state anew, 200-300 MB: fixed thresholds make glibc give that back. */
const MEMORY = { MALLOC_ARENA_MAX: "2", MALLOC_MMAP_THRESHOLD_: "4000000", MALLOC_TRIM_THRESHOLD_: "8000000" }
const HOLDER = "transcriber/whisper.cpp"
const SCRIPT = fileURLToPath(new URL("whispercpp_process.ts", import.meta.url))

/** Name in the catalogue of a model's weights in whisper.cpp's own format. */
export const modelName = (model: string): string => (model.endsWith("-ggml") ? model : `${model}-ggml`)

const Loaded = Schema.Struct({ computeMs: Schema.Finite })
const Transcribed = Schema.Struct({
  computeMs: Schema.Finite,
  words: Schema.Array(Schema.Tuple([Schema.Int, Schema.Int, Schema.String, Schema.Finite])),
  language: Schema.String,
  avgLogprob: Schema.Finite
})

/** Starts nothing yet: the process comes with the first `prepare` or request. */
export const make = Effect.gen(function* () {
  const models = yield* Models
  const cores = yield* Cores
  const child = yield* Child.make("whisper.cpp", Effect.succeed({ file: process.execPath, args: [SCRIPT], env: MEMORY }))
  yield* Effect.addFinalizer(() => child.stop)

  const pass = Effect.fnUntraced(function* (request: EngineRequest, lease: Lease) {
    const model = yield* models.locate(modelName(request.options.model))
    const reply = yield* child.request(
      Transcribed,
      {
        op: "transcribe",
        path: model.path("model"),
        threads: lease.threads,
        short: request.lane === "interactive",
        options: request.options
      },
      request.pcm
    )
    const result: EngineResult = {
      words: reply.words.map(([start, end, word, probability]) => ({
        start: request.start + start,
        end: request.start + end,
        word,
        probability
      })),
      language: reply.language,
      languageProbability: request.options.language === reply.language ? 1 : 0,
      avgLogprob: reply.avgLogprob,
      noSpeechProbability: 0,
      temperature: 0,
      computeMs: reply.computeMs,
      threads: lease.threads,
      model: model.name,
      modelSha256: model.sha256
    }
    return result
  })

  const utterance = Math.max(1, Math.min(4, cores.total - 1))
  const engine: Engine = {
    name: "whisper.cpp",
    pid: child.pid,
    prepare: Effect.fnUntraced(function* (name: string) {
      const model = yield* models.locate(modelName(name))
      yield* child.request(Loaded, { op: "load", path: model.path("model") })
    }),
    transcribe: (request) =>
      cores.lease({ holder: HOLDER, lane: request.lane, want: request.lane === "interactive" ? utterance : 1 }, (lease) =>
        Effect.uninterruptible(pass(request, lease))
      )
  }
  return engine
})
