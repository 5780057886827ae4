/**
 * P1: a call file through the whole pipeline, beside faster-whisper and whisper.cpp alone on the same file.
 *
 *   node bench/call.ts [--runs 3] [--no-whispercpp] [--json]
 */
import * as Effect from "effect/Effect"
import { availableParallelism } from "node:os"
import type { Failure } from "../kernel/Failure.ts"
import { wordErrorRate } from "../kernel/testkit/WordErrors.ts"
import { reach } from "../launcher/Access.ts"
import { bench } from "./support/Bench.ts"
import { type MeasuredCall, measuredCall } from "./support/Calls.ts"
import { call } from "./support/Fixtures.ts"
import { startInstance } from "./support/Instance.ts"
import { fasterWhisper, type Transcription, whisperCpp, whisperCppIsNative } from "./support/Reference.ts"
import { median, ratios, round, show, spread } from "./support/Stats.ts"

const SECOND = 1_000

const METHOD = `A generated call of about 149 s, two people, model base, int8, beam 5, word times, as many threads as cores.
Voxbus: a fresh instance with its models loaded; times are out of its event log. "transcription" is from the first
audio.normalized to the last text.*, "pipeline" from job.queued to bundle.ready (decoding, cutting, transcript, Opus, seal).
faster-whisper: BatchedInferencePipeline, batch 8, alone in a process with the model loaded and the samples in memory, cut at
Voxbus' chunks; with its own VAD too where onnxruntime is there. whisper.cpp: Voxbus' compiled-for-this-machine smart-whisper
on the whole file in one piece, standing in for a native whisper-cli. Runs alternate; a first one of each is not counted
(whisper.cpp has none, and as few as asked for).
Ratios are of the two runs of one round. WER with kernel/testkit/WordErrors.ts.`

interface Contender {
  readonly name: string
  /** Counted rounds it takes part in. */
  readonly rounds: number
  readonly run: Effect.Effect<Transcription, Failure>
}

bench({
  name: "call",
  method: METHOD,
  options: {
    runs: { default: 3, means: "counted rounds" },
    threads: { default: availableParallelism(), means: "threads of the references; Voxbus takes the cores" },
    "whispercpp-runs": { default: 1, means: "rounds with whisper.cpp, which takes longest; 0 leaves it out" }
  },
  run: Effect.fnUntraced(function* ({ runs, threads, "whispercpp-runs": slowRuns }, say) {
    const speech = yield* call
    const instance = yield* startInstance({ env: { VOXBUS_CORES: String(threads) } })
    const bus = yield* reach([])
    say(`  call of ${round(speech.seconds)} s; Voxbus was ready after ${round(instance.readyMs / SECOND, 2)} s`)

    const measured: Array<MeasuredCall> = []
    const first = yield* measuredCall(speech.path).pipe(Effect.provide(bus))
    const reference = yield* fasterWhisper(threads)
    const batched = (how: "batched" | "batched-vad") => reference.transcribe({ how, path: speech.path, clips: first.chunks })
    const contenders: Array<Contender> = [{ name: "faster-whisper batched", rounds: runs, run: batched("batched") }]
    if (reference.vad) contenders.push({ name: "faster-whisper batched, own VAD", rounds: runs, run: batched("batched-vad") })
    else say("  faster-whisper's own VAD is left out: onnxruntime is not installed")
    if (slowRuns > 0 && !whisperCppIsNative()) say("  whisper.cpp is left out: it is not compiled for this machine (npm test does that)")
    else if (slowRuns > 0) {
      const engine = yield* whisperCpp(threads)
      contenders.push({ name: "whisper.cpp whole file", rounds: slowRuns, run: engine.transcribe(speech.pcm) })
    }

    const others = new Map(contenders.map(({ name }) => [name, new Array<Transcription>()]))
    for (let turn = 0; turn <= runs; turn += 1) {
      const ours = turn === 0 ? first : yield* measuredCall(speech.path).pipe(Effect.provide(bus))
      if (turn > 0) measured.push(ours)
      const line = [`Voxbus ${round(ours.transcriptionMs / SECOND, 2)} s (pipeline ${round(ours.pipelineMs / SECOND, 2)} s)`]
      for (const { name, rounds, run } of contenders) {
        // Without a warm-up where one run takes as long as all the others.
        if (turn > rounds || (turn === 0 && rounds < runs)) continue
        const theirs = yield* run
        if (turn > 0) others.get(name)?.push(theirs)
        line.push(`${name} ${round(theirs.ms / SECOND, 2)} s`)
      }
      say(`  ${turn === 0 ? "warm-up" : `round ${turn}`}: ${line.join(", ")}`)
    }

    const seconds = (values: ReadonlyArray<number>) =>
      spread(
        values.map((ms) => ms / SECOND),
        2
      )
    const wer = (texts: ReadonlyArray<string>) => round(100 * median(texts.map((text) => wordErrorRate(speech.text, text))), 2)
    const transcription = measured.map(({ transcriptionMs }) => transcriptionMs)
    const pipeline = measured.map(({ pipelineMs }) => pipelineMs)
    const voxbus = {
      transcriptionSeconds: seconds(transcription),
      pipelineSeconds: seconds(pipeline),
      computeSeconds: seconds(measured.map(({ computeMs }) => computeMs)),
      werPercent: wer(measured.map(({ text }) => text)),
      chunks: first.chunks.length,
      atMs: measured.at(-1)?.at ?? {}
    }
    const references = contenders.map(({ name }) => {
      const theirs = others.get(name) ?? []
      const ms = theirs.map((each) => each.ms)
      return {
        name,
        seconds: seconds(ms),
        werPercent: wer(theirs.map(({ text }) => text)),
        transcriptionRatio: ratios(transcription, ms),
        pipelineRatio: ratios(pipeline, ms)
      }
    })
    say(`\n  Voxbus transcription            ${show(voxbus.transcriptionSeconds, "s")}   WER ${voxbus.werPercent} %`)
    say(`  Voxbus pipeline                 ${show(voxbus.pipelineSeconds, "s")}`)
    for (const { name, seconds: time, werPercent, transcriptionRatio, pipelineRatio } of references) {
      say(`  ${name.padEnd(31)} ${show(time, "s")}   WER ${werPercent} %`)
      say(`    Voxbus transcription / this   ${show(transcriptionRatio)}   pipeline / this ${show(pipelineRatio)}`)
    }
    say(
      `  on the log, ms after job.queued: ${Object.entries(voxbus.atMs)
        .map(([name, ms]) => `${name} ${ms}`)
        .join(", ")}`
    )
    return { audioSeconds: round(speech.seconds), threads, runs, voxbus, references }
  })
})
