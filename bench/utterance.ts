/**
 * P2: speech to text of an utterance of 2-4 s, Voxbus' short window beside faster-whisper as it comes.
 *
 *   node bench/utterance.ts [--utterances 30] [--runs 2] [--json]
 */
import * as Effect from "effect/Effect"
import { availableParallelism } from "node:os"
import { make as makeCtranslate2 } from "../actors/transcriber/engines/ctranslate2.ts"
import { defaultSessionConfig } from "../contract/Session.ts"
import { normalised, wordErrorRate } from "../kernel/testkit/WordErrors.ts"
import { bench } from "./support/Bench.ts"
import { questions, type Speech, ungoverned } from "./support/Fixtures.ts"
import { fasterWhisper } from "./support/Reference.ts"
import { quantiles, ratios, round, show } from "./support/Stats.ts"

const METHOD = `Generated questions of 2-4 s, model base, int8, language detected. Voxbus: the interactive path of its engine,
called as the transcriber calls it, word times included; the time is of the whole call, with the way to the Python
process and back. faster-whisper: WhisperModel.transcribe with its defaults (beam 5, no word times), as many threads as
cores, time of the call alone. Both have their model loaded; they alternate, utterance by utterance.`

interface Measured {
  readonly speech: Speech
  readonly ours: { readonly ms: number; readonly text: string }
  readonly theirs: { readonly ms: number; readonly text: string }
}

const same = (a: string, b: string) => normalised(a).join(" ") === normalised(b).join(" ")

bench({
  name: "utterance",
  method: METHOD,
  options: {
    utterances: { default: 30, means: "how many of the thirty questions" },
    runs: { default: 2, means: "times each is measured" },
    threads: { default: availableParallelism(), means: "threads of faster-whisper" }
  },
  run: Effect.fnUntraced(function* ({ utterances, runs, threads }, say) {
    const all = yield* questions(utterances)
    const engine = yield* Effect.provide(makeCtranslate2, ungoverned)
    const options = defaultSessionConfig.transcriber
    yield* engine.prepare(options.model)
    const reference = yield* fasterWhisper(threads)

    const short = Effect.fnUntraced(function* ({ pcm }: Speech) {
      const bytes = new Uint8Array(pcm.buffer, pcm.byteOffset, pcm.byteLength)
      const begun = performance.now()
      const { words } = yield* engine.transcribe({
        lane: "interactive",
        pcm: bytes,
        start: 0,
        speech: [{ start: 0, end: pcm.length }],
        options
      })
      return {
        ms: performance.now() - begun,
        text: words
          .map(({ word }) => word)
          .join("")
          .trim()
      }
    })
    const both = Effect.fnUntraced(function* (speech: Speech) {
      const result: Measured = {
        speech,
        ours: yield* short(speech),
        theirs: yield* reference.transcribe({ how: "plain", path: speech.path })
      }
      return result
    })

    // The first pass of each is slower: it touches every page of the model.
    for (const speech of all.slice(0, 2)) yield* both(speech)
    const measured: Array<Measured> = []
    for (let run = 0; run < runs; run += 1) {
      for (const speech of all) {
        const result = yield* both(speech)
        measured.push(result)
        if (run === 0 && !same(result.ours.text, result.theirs.text)) say(`  differs: "${result.ours.text}" / "${result.theirs.text}"`)
      }
    }

    const wer = (of: (each: Measured) => string) =>
      round(100 * wordErrorRate(measured.map(({ speech }) => speech.text).join(" "), measured.map(of).join(" ")), 2)
    const result = {
      utterances: all.length,
      seconds: quantiles(all.map(({ seconds }) => seconds)),
      voxbusMs: quantiles(measured.map(({ ours }) => ours.ms)),
      fasterWhisperMs: quantiles(measured.map(({ theirs }) => theirs.ms)),
      ratio: ratios(
        measured.map(({ ours }) => ours.ms),
        measured.map(({ theirs }) => theirs.ms)
      ),
      identicalWords: measured.filter(({ ours, theirs }) => same(ours.text, theirs.text)).length,
      identicalText: measured.filter(({ ours, theirs }) => ours.text === theirs.text).length,
      measured: measured.length,
      voxbusWerPercent: wer(({ ours }) => ours.text),
      fasterWhisperWerPercent: wer(({ theirs }) => theirs.text)
    }
    say(`\n  ${result.utterances} utterances of ${result.seconds.p50} s (95 %: ${result.seconds.p95} s), measured ${runs} times`)
    say(`  Voxbus          p50 ${result.voxbusMs.p50} ms, p95 ${result.voxbusMs.p95} ms   WER ${result.voxbusWerPercent} %`)
    say(
      `  faster-whisper  p50 ${result.fasterWhisperMs.p50} ms, p95 ${result.fasterWhisperMs.p95} ms   WER ${result.fasterWhisperWerPercent} %`
    )
    say(`  Voxbus / faster-whisper ${show(result.ratio)}`)
    say(`  the same words in ${result.identicalWords} of ${result.measured}, the same text to the letter in ${result.identicalText}`)
    return result
  })
})
