/** Several models as one, against servers that go away in the middle of an answer. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Stream from "effect/Stream"
import { makeChain } from "../../kernel/Chain.ts"
import { Settings } from "../../kernel/Settings.ts"
import { memoryBus } from "../../kernel/testkit/MemoryBus.ts"
import { ANSWER } from "../../kernel/testkit/ProviderServer.ts"
import { failureOf, served } from "../../kernel/testkit/ProviderTest.ts"
import type { Engine, ReplyRequest } from "./Engine.ts"
import { chatEngine } from "./engines/openaiCompatible.ts"
import { fallback } from "./Fallback.ts"

const request: ReplyRequest = { messages: [{ role: "user", content: "q" }], maxTokens: 9, temperature: 0, model: "", prefix: "" }
const layer = Layer.mergeAll(memoryBus, Settings.layer())
const link = (name: string, url: string): { readonly name: string; readonly engine: Engine } => ({
  name,
  engine: chatEngine(name, { endpoint: { label: name, url: `${url}/v1`, keyName: "chat" }, model: "llama3", totalMs: 3_000 })
})
const collect = (engine: Engine) =>
  Stream.runCollect(engine.reply(request)).pipe(
    Effect.map((parts) => ({ text: parts.map((part) => (part._tag === "Token" ? part.text : "")).join(""), done: parts.at(-1) }))
  )

describe("fallback", () => {
  it.live("names who answered and what was sent", () =>
    Effect.gen(function* () {
      const server = yield* served()
      const engine = fallback(yield* makeChain("reasoner"), Effect.succeed([link("a", server.url), link("b", server.url)]))
      const { text, done } = yield* collect(engine)
      assert.strictEqual(text, ANSWER.join(" "))
      assert.deepInclude(done, { engine: "a", messages: request.messages })
    }).pipe(Effect.scoped, Effect.provide(layer))
  )

  it.live("goes on with the next where the first broke off, after the words that are out", () =>
    Effect.gen(function* () {
      const first = yield* served()
      const second = yield* served({ answer: ["and on."] })
      for (const fault of ["cut", "half-closed"] as const) {
        const engine = fallback(yield* makeChain("reasoner"), Effect.succeed([link("a", first.url), link("b", second.url)]))
        // Its own tries find it gone.
        first.next(fault, { status: 404 })
        const { text, done } = yield* collect(engine)
        assert.match(text, /^The capital is Paris\. .*and on\.$/)
        assert.deepInclude(done, { engine: "b" })
        const sent = second.asked.at(-1)?.json.messages as ReadonlyArray<{ readonly role: string; readonly content: string }>
        assert.strictEqual(sent[1]?.role, "assistant")
        assert.isTrue(text.startsWith(sent[1]?.content ?? "-"))
      }
    }).pipe(Effect.scoped, Effect.provide(layer))
  )

  it.live("alone and out of tries it is final, and says what to do", () =>
    Effect.gen(function* () {
      const server = yield* served()
      server.always({ status: 503, headers: { "retry-after": "0" } })
      const engine = fallback(yield* makeChain("reasoner"), Effect.succeed([link("a", server.url)]))
      assert.deepInclude(yield* failureOf(collect(engine)), { _tag: "Terminal", code: "provider.unavailable" })
      assert.strictEqual(server.asked.length, 3)
    }).pipe(Effect.scoped, Effect.provide(layer))
  )
})
