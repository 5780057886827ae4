import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import type * as Scope from "effect/Scope"
import { defaultSessionConfig } from "../../../contract/Session.ts"
import { HEARD } from "../../../kernel/testkit/ProviderServer.ts"
import { failureOf, served } from "../../../kernel/testkit/ProviderTest.ts"
import type { EngineRequest } from "../Engine.ts"
import * as Windows from "../Windows.ts"
import { LONGEST_REMOTE, makeOpenAi, piecesOf, type Transcription } from "./openai.ts"

const request = (seconds = 2, options = {}): EngineRequest => ({
  lane: "interactive",
  pcm: new Uint8Array(seconds * 32_000),
  start: 16_000,
  speech: [{ start: 16_000, end: 16_000 + seconds * 16_000 }],
  options: { ...defaultSessionConfig.transcriber, ...options }
})
const engine = (url: string, more: Partial<Transcription> = {}) =>
  makeOpenAi(
    Effect.succeed({
      endpoint: { label: "OpenAI", url: `${url}/v1`, key: Redacted.make("sk-secret-key-0123456789"), keyName: "openai" },
      model: "whisper-1",
      totalMs: 5_000,
      ...more
    })
  )
const live = (name: string, test: () => Effect.Effect<void, unknown, Scope.Scope>) => it.live(name, () => Effect.scoped(test()))

describe("openai", () => {
  live("sends a WAV in a form and lays the times over the text", () =>
    Effect.gen(function* () {
      const server = yield* served({ key: "sk-secret-key-0123456789" })
      const result = yield* engine(server.url).transcribe(request(2, { language: "en", prompt: "names" }))
      const form = server.asked[0]?.form
      assert.strictEqual(server.asked[0]?.path, "/v1/audio/transcriptions")
      assert.strictEqual(form?.get("model"), "whisper-1")
      assert.strictEqual(form?.get("response_format"), "verbose_json")
      assert.strictEqual(form?.get("language"), "en")
      assert.strictEqual(form?.get("prompt"), "names")
      assert.deepStrictEqual(form?.getAll("timestamp_granularities[]"), ["word", "segment"])
      const file = form?.get("file") as File
      assert.strictEqual(file.name, "audio.wav")
      assert.strictEqual(file.size, 64_044)
      assert.strictEqual(
        result.words
          .map(({ word }) => word)
          .join("")
          .trim(),
        HEARD
      )
      assert.deepInclude(result.words[1], { word: " there,", start: 24_000, end: 30_400 })
      assert.deepInclude(result, { language: "en", languageProbability: 1, avgLogprob: -0.2, modelSha256: "", threads: 0 })
    })
  )

  live("spreads the words of a model without times, translates, and reads the language", () =>
    Effect.gen(function* () {
      const server = yield* served()
      const newer = yield* engine(server.url, { model: "gpt-4o-transcribe" }).transcribe(request())
      assert.strictEqual(
        newer.words
          .map(({ word }) => word)
          .join("")
          .trim(),
        HEARD
      )
      assert.strictEqual(newer.words.at(-1)?.end, 48_000)
      assert.strictEqual(server.asked[0]?.form?.get("response_format"), "json")
      const translated = yield* engine(server.url).transcribe(request(2, { task: "translate" }))
      assert.strictEqual(server.asked[1]?.path, "/v1/audio/translations")
      assert.strictEqual(translated.language, "en")
    })
  )

  it("cuts the text by words, whatever is between them", () => {
    assert.deepStrictEqual(piecesOf(" One, two... three!", ["One", "two", "three"]), [" One,", " two...", " three!"])
    assert.deepStrictEqual(piecesOf(" a b", ["a", "zzz", "b"]), [" a", "", " b"])
  })

  live("cuts what is longer than 25 MB in its silences, and refuses a larger piece", () =>
    Effect.gen(function* () {
      const server = yield* served()
      const long = request(800)
      yield* Windows.transcribe(engine(server.url), { ...long, speech: [] })
      assert.strictEqual(server.asked.length, 2)
      for (const { bytes } of server.asked) assert.isBelow(bytes, 25_000_000)
      assert.isAtMost(LONGEST_REMOTE / 16_000, 15 * 60)
      assert.deepInclude(yield* failureOf(engine(server.url).transcribe(long)), { _tag: "Terminal", code: "audio.too_large" })
    })
  )

  const faults = [
    [{ status: 400, body: { error: { message: "Invalid file format." } } }, "Terminal", "provider.rejected"],
    [{ status: 401 }, "Terminal", "provider.auth"],
    [{ status: 402 }, "Terminal", "provider.quota"],
    [
      { status: 429, body: { error: { message: "You exceeded your current quota", code: "insufficient_quota" } } },
      "Terminal",
      "provider.quota"
    ],
    [{ status: 429, headers: { "retry-after": "2" } }, "Retryable", "provider.rate_limited"],
    [{ status: 408 }, "Retryable", "provider.timeout"],
    [{ status: 503 }, "Retryable", "provider.unavailable"],
    ["break", "Retryable", "provider.unavailable"],
    ["garbage", "Retryable", "provider.unavailable"],
    ["silent", "Retryable", "provider.timeout"]
  ] as const
  for (const [fault, tag, code] of faults) {
    live(`${JSON.stringify(fault)} is ${tag} ${code}`, () =>
      Effect.gen(function* () {
        const server = yield* served()
        server.next(fault)
        const failure = yield* failureOf(engine(server.url, { totalMs: 300 }).transcribe(request(1)))
        assert.deepInclude(failure, { _tag: tag, code })
        assert.notInclude(failure.message, "sk-secret")
      })
    )
  }

  live("never quotes a key that a provider quotes, and sends none unencrypted", () =>
    Effect.gen(function* () {
      const server = yield* served({ key: "another" })
      const refused = yield* failureOf(engine(server.url).transcribe(request(1)))
      assert.strictEqual(refused.code, "provider.auth")
      assert.notInclude(refused.message, "sk-secret")
      assert.include(refused.message, "voxbus keys set openai")
      const far = yield* failureOf(engine("http://192.0.2.1").transcribe(request(1)))
      assert.strictEqual(far.code, "key.insecure")
    })
  )
})
