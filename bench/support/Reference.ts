/**
 * What Voxbus is compared with, each in a process of its own that has its model loaded: faster-whisper alone
 * (`faster_whisper_reference.py`), and whisper.cpp over a whole file with all threads, as `whisper-cli` runs it.
 */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { spawn } from "node:child_process"
import { existsSync } from "node:fs"
import { createInterface } from "node:readline"
import { fileURLToPath } from "node:url"
import { make as makeChild } from "../../actors/transcriber/engines/Child.ts"
import { defaultSessionConfig } from "../../contract/Session.ts"
import { describe, Terminal } from "../../kernel/Failure.ts"
import { Models } from "../../kernel/Models.ts"

const SCRIPT = fileURLToPath(new URL("../faster_whisper_reference.py", import.meta.url))
const WHISPER_CPP = fileURLToPath(new URL("../../actors/transcriber/engines/whispercpp_process.ts", import.meta.url))
const BUILT = new URL("../../node_modules/smart-whisper/build/voxbus-build.json", import.meta.url)

const Ready = Schema.Struct({ ready: Schema.Boolean, vad: Schema.Boolean })
const Answer = Schema.Struct({ ms: Schema.Finite, text: Schema.String, words: Schema.Int, language: Schema.String })

export interface Transcription {
  readonly ms: number
  readonly text: string
}

export interface FasterWhisperJob {
  /** `plain` is `WhisperModel.transcribe`; the others the batched pipeline, cut by our clips or by its own VAD. */
  readonly how: "plain" | "batched" | "batched-vad"
  /** A WAV file of 16 kHz mono. */
  readonly path: string
  /** Seconds. */
  readonly clips?: ReadonlyArray<readonly [start: number, end: number]>
}

const BEAM = 5
const BATCH = 8
const WAV_HEADER = 44

/** Starts faster-whisper; returns when its model is loaded. Ends with the scope. */
export const fasterWhisper = Effect.fnUntraced(function* (threads: number) {
  const models = yield* Models
  const python = yield* models.locate("python-ctranslate2")
  const model = yield* models.locate("whisper-base")
  const site = python.files["site"] === undefined ? {} : { PYTHONPATH: python.path("site") }
  const child = yield* Effect.acquireRelease(
    Effect.sync(() =>
      spawn(python.path("python"), ["-s", SCRIPT, model.folder, String(threads)], {
        env: { ...process.env, ...site },
        stdio: ["pipe", "pipe", "inherit"]
      })
    ),
    (process) => Effect.sync(() => process.kill("SIGKILL"))
  )
  const lines = createInterface({ input: child.stdout })
  /** One question is asked at a time: the next line is its answer. */
  const next = <A>(schema: Schema.Codec<A, unknown>, ask: () => void) =>
    Effect.callback<string, Terminal>((resume) => {
      const gone = (code: number | null) =>
        resume(Effect.fail(new Terminal({ code: "engine.failed", message: `faster-whisper ended with exit code ${code}.` })))
      child.once("exit", gone)
      lines.once("line", (line) => {
        child.off("exit", gone)
        resume(Effect.succeed(line))
      })
      ask()
    }).pipe(
      Effect.flatMap(Schema.decodeUnknownEffect(Schema.fromJsonString(schema))),
      Effect.mapError((cause) =>
        cause instanceof Terminal ? cause : new Terminal({ code: "engine.failed", message: `faster-whisper: ${describe(cause)}` })
      )
    )
  const { vad } = yield* next(Ready, () => undefined)
  return {
    /** Whether its own voice activity detection can run (it needs onnxruntime, which Voxbus does not install). */
    vad,
    transcribe: ({ how, path, clips = [] }: FasterWhisperJob) =>
      next(Answer, () => child.stdin.write(`${JSON.stringify({ how, pcm: path, skip: WAV_HEADER, clips, beam: BEAM, batch: BATCH })}\n`))
  }
})

const Words = Schema.Struct({
  computeMs: Schema.Finite,
  words: Schema.Array(Schema.Tuple([Schema.Int, Schema.Int, Schema.String, Schema.Finite]))
})
const Loaded = Schema.Struct({ computeMs: Schema.Finite })

/** Whether smart-whisper was compiled for this machine; as npm delivers it, it is twelve times slower. */
export const whisperCppIsNative = (): boolean => existsSync(BUILT)

/** whisper.cpp with the file in one piece: it cuts by itself. Ends with the scope. */
export const whisperCpp = Effect.fnUntraced(function* (threads: number) {
  const model = yield* (yield* Models).locate("whisper-base-ggml")
  const child = yield* makeChild("whisper.cpp", Effect.succeed({ file: process.execPath, args: [WHISPER_CPP], env: {} }))
  yield* Effect.addFinalizer(() => child.stop)
  yield* child.request(Loaded, { op: "load", path: model.path("model") })
  return {
    transcribe: (pcm: Int16Array) =>
      child
        .request(
          Words,
          {
            op: "transcribe",
            path: model.path("model"),
            threads,
            short: false,
            options: { ...defaultSessionConfig.transcriber, beamSize: BEAM }
          },
          new Uint8Array(pcm.buffer, pcm.byteOffset, pcm.byteLength)
        )
        .pipe(
          Effect.map(({ computeMs, words }): Transcription => ({
            ms: computeMs,
            text: words
              .map((word) => word[2])
              .join("")
              .trim()
          }))
        )
  }
})
