/** The voices of providers, against a server that speaks their protocols. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import type * as Scope from "effect/Scope"
import { failureOf, served } from "../../kernel/testkit/ProviderTest.ts"
import { type ElevenLabs, makeElevenLabs, voices } from "./engines/elevenlabs.ts"
import { makeOpenAiSpeech } from "./engines/openaiSpeech.ts"
import { pieces } from "./Remote.ts"

const KEY = "xi-secret-key-0123456789"
const endpoint = (url: string) => ({ label: "ElevenLabs", url, key: Redacted.make(KEY), keyName: "elevenlabs", keyHeader: "xi-api-key" })
const eleven = (url: string, more: Partial<ElevenLabs> = {}) =>
  makeElevenLabs(
    Effect.succeed({
      endpoint: endpoint(url),
      voice: "v1",
      model: "eleven_flash_v2_5",
      stability: 0.5,
      similarityBoost: 0.75,
      totalMs: 2_000,
      ...more
    })
  )
const openAi = (url: string) =>
  makeOpenAiSpeech(
    Effect.succeed({
      endpoint: { label: "OpenAI", url: `${url}/v1`, key: Redacted.make(KEY), keyName: "openai" },
      model: "tts-1",
      voice: "alloy",
      totalMs: 2_000
    })
  )
const say = (text: string, speed = 1) => ({ text, voice: "piper-en-us-joe", speed })
const live = (name: string, test: () => Effect.Effect<void, unknown, Scope.Scope>) => it.live(name, () => Effect.scoped(test()))

describe("voices of providers", () => {
  live("elevenlabs: streams raw samples with the key in its header", () =>
    Effect.gen(function* () {
      const server = yield* served({ key: KEY })
      const speech = yield* eleven(server.url).synthesize(say("Hello.", 3))
      assert.deepInclude(speech, { sampleRate: 22_050, voice: "v1" })
      assert.strictEqual(speech.pcm.length, 11_025)
      const [asked] = server.asked
      assert.strictEqual(asked?.path, "/v1/text-to-speech/v1/stream?output_format=pcm_22050")
      assert.deepStrictEqual(asked?.json, {
        text: "Hello.",
        model_id: "eleven_flash_v2_5",
        voice_settings: { stability: 0.5, similarity_boost: 0.75, speed: 1.2 }
      })
      assert.deepStrictEqual(yield* voices(endpoint(server.url)), [{ id: "v1", name: "Rachel" }])
    })
  )

  live("elevenlabs: cuts text above 5,000 characters between sentences, and pays for nothing that is silent", () =>
    Effect.gen(function* () {
      const server = yield* served()
      const text = "This is a sentence of some length. ".repeat(200)
      const { pcm } = yield* eleven(server.url).synthesize(say(text))
      assert.strictEqual(server.asked.length, 2)
      for (const { json } of server.asked) {
        assert.isAtMost(json.text.length, 5_000)
        assert.match(json.text, /\.$/)
      }
      assert.strictEqual(pcm.length, 2 * 11_025)
      assert.strictEqual((yield* eleven(server.url).synthesize(say("... ?!"))).pcm.length, 0)
      assert.strictEqual(server.asked.length, 2)
    })
  )

  live("openai-speech: raw samples at 24 kHz", () =>
    Effect.gen(function* () {
      const server = yield* served({ key: KEY })
      const speech = yield* openAi(server.url).synthesize(say("Hello."))
      assert.deepInclude(speech, { sampleRate: 24_000, voice: "alloy" })
      assert.strictEqual(speech.pcm.length, 12_000)
      assert.deepStrictEqual(server.asked[0]?.json, { model: "tts-1", voice: "alloy", input: "Hello.", response_format: "pcm", speed: 1 })
    })
  )

  const faults = [
    [{ status: 401, body: { detail: { status: "quota_exceeded", message: "You have 0 credits left." } } }, "Terminal", "provider.quota"],
    [{ status: 402 }, "Terminal", "provider.quota"],
    [{ status: 401, body: { detail: { status: "invalid_api_key", message: "Invalid API key" } } }, "Terminal", "provider.auth"],
    [{ status: 404, body: { detail: { status: "voice_not_found", message: "A voice was not found." } } }, "Terminal", "provider.model"],
    [
      { status: 429, body: { detail: { status: "too_many_concurrent_requests", message: "Slow down." } } },
      "Retryable",
      "provider.rate_limited"
    ],
    [{ status: 500 }, "Retryable", "provider.unavailable"],
    ["cut", "Retryable", "provider.unavailable"],
    ["break", "Retryable", "provider.unavailable"],
    ["silent", "Retryable", "provider.timeout"]
  ] as const
  for (const [fault, tag, code] of faults) {
    live(`${JSON.stringify(fault)} is ${tag} ${code} for both`, () =>
      Effect.gen(function* () {
        const server = yield* served()
        for (const engine of [eleven(server.url, { totalMs: 300 }), ...(fault === "silent" ? [] : [openAi(server.url)])]) {
          server.next(fault)
          const failure = yield* failureOf(engine.synthesize(say("Hello.")))
          assert.deepInclude(failure, { _tag: tag, code })
          assert.notInclude(failure.message, KEY)
        }
      })
    )
  }

  it("cuts text where it may be cut", () => {
    assert.deepStrictEqual(pieces("One. Two. Three.", 10), ["One. Two.", "Three."])
    assert.deepStrictEqual(pieces("one two three", 8), ["one two", "three"])
    assert.deepStrictEqual(pieces("abcdefghij", 4), ["abcd", "efgh", "ij"])
    assert.deepStrictEqual(pieces("", 4), [])
  })
})
