/**
 * Deterministic speech recognition for tests of the program: the words are the SHA-256 of the samples, spread over the
 * detected speech; one chunk in eight holds none and is rejected. It costs microseconds and needs no model.
 *
 * Same bytes, same result, in any process on any day: what a crash test compares. Only by name, never by `auto`.
 *
 * A model whose name is the path of a file fails as long as that file exists: an engine that is broken and then mended.
 * One that is called `slow-500` takes 500 ms for a chunk; `attentive` hears something in every chunk: for sound that is
 * another in each run, a microphone's or a voice's, where one run in eight would have no words.
 */
import * as Effect from "effect/Effect"
import { createHash } from "node:crypto"
import { existsSync } from "node:fs"
import { isAbsolute } from "node:path"
import type { Word } from "../../../contract/Events.ts"
import { Terminal } from "../../../kernel/Failure.ts"
import type { Engine, EngineRequest, EngineResult } from "../Engine.ts"

/** First byte of the hash below this: nothing was heard. */
const SILENT = 32

const wordsOf = ({ pcm, start, speech }: EngineRequest, hash: Buffer): ReadonlyArray<Word> => {
  const samples = pcm.length >> 1
  const from = speech[0]?.start ?? start
  const to = Math.max(from + 1, speech.at(-1)?.end ?? start + samples)
  const count = 1 + ((hash[1] ?? 0) % 12)
  const at = (n: number) => from + Math.floor(((to - from) * n) / count)
  return Array.from({ length: count }, (_, n) => ({
    word: ` ${hash.toString("hex", 2 + n * 2, 4 + n * 2)}`,
    start: at(n),
    end: at(n + 1),
    probability: 0.5 + (hash[n] ?? 0) / 512
  }))
}

const resultOf = (request: EngineRequest): EngineResult => {
  const hash = createHash("sha256").update(request.pcm).digest()
  const { model, language } = request.options
  return {
    words: (hash[0] ?? 0) < SILENT && model !== "attentive" ? [] : wordsOf(request, hash),
    language: language === "auto" ? "en" : language,
    languageProbability: 1,
    avgLogprob: -0.2,
    noSpeechProbability: 0,
    temperature: 0,
    computeMs: 0,
    threads: 0,
    model,
    modelSha256: ""
  }
}

export const testkit: Engine = {
  name: "testkit",
  pid: () => undefined,
  prepare: () => Effect.void,
  transcribe: (request) =>
    Effect.suspend(() =>
      isAbsolute(request.options.model) && existsSync(request.options.model)
        ? Effect.fail(new Terminal({ code: "engine.failed", message: "The test-kit engine is broken on purpose." }))
        : Effect.succeed(resultOf(request)).pipe(Effect.delay(Number(/^slow-(\d{1,5})$/.exec(request.options.model)?.[1] ?? 0)))
    )
}
