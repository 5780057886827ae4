import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import { ANSWER } from "../../../kernel/testkit/ProviderServer.ts"
import { failureOf, served } from "../../../kernel/testkit/ProviderTest.ts"
import type { ReplyRequest } from "../Engine.ts"
import { makeOpenWebUi, type OpenWebUi } from "./openwebui.ts"

const KEY = "owui-secret"
const request: ReplyRequest = { messages: [{ role: "user", content: "q" }], maxTokens: 9, temperature: 0, model: "", prefix: "" }
const server = (url: string, more: Partial<OpenWebUi> = {}): OpenWebUi => ({
  endpoint: { label: "OpenWebUI", url, key: Redacted.make(KEY), keyName: "openwebui" },
  model: "llama3",
  knowledge: "",
  totalMs: 2_000,
  ...more
})
const ask = (options: OpenWebUi, make = makeOpenWebUi()) =>
  Stream.runCollect(make(options).reply(request)).pipe(
    Effect.map((parts) => ({ text: parts.map((part) => (part._tag === "Token" ? part.text : "")).join(""), done: parts.at(-1) }))
  )
const live = (name: string, test: () => Effect.Effect<void, unknown, Scope.Scope>) => it.live(name, () => Effect.scoped(test()))

describe("openwebui", () => {
  live("asks for the model once, then answers with the knowledge collection", () =>
    Effect.gen(function* () {
      const { url, asked } = yield* served({ key: KEY })
      const make = makeOpenWebUi()
      const { text, done } = yield* ask(server(`${url}/`, { knowledge: "docs" }), make)
      assert.strictEqual(text, ANSWER.join(" "))
      assert.deepInclude(done, { _tag: "Done", model: "llama3", finish: "stop" })
      yield* ask(server(`${url}/`, { knowledge: "docs" }), make)
      assert.deepStrictEqual(
        asked.map(({ path }) => path),
        ["/api/models", "/api/chat/completions", "/api/chat/completions"]
      )
      assert.deepInclude(asked[1]?.json, { model: "llama3", stream: true })
      assert.deepStrictEqual(asked[1]?.json.files, [{ type: "collection", id: "docs" }])
      assert.strictEqual(asked[1]?.headers.authorization, `Bearer ${KEY}`)
    })
  )

  live("takes the first model the server has in place of one it does not have", () =>
    Effect.gen(function* () {
      const { url } = yield* served({ models: ["mistral", "llama3"] })
      assert.deepInclude((yield* ask(server(url, { model: "gone" }))).done, { model: "mistral" })
      assert.deepInclude((yield* ask(server(url, { model: "" }))).done, { model: "mistral" })
      const none = yield* served({ models: [] })
      assert.deepInclude(yield* failureOf(ask(server(none.url))), { _tag: "Terminal", code: "provider.model" })
    })
  )

  live("fails as the server does", () =>
    Effect.gen(function* () {
      const { url, next } = yield* served()
      const faults = [
        [{ status: 401, body: { detail: "Your session has expired or the token is invalid." } }, "provider.auth"],
        [{ status: 500, body: { detail: "Ollama: out of memory" } }, "provider.unavailable"],
        [{ status: 429 }, "provider.rate_limited"],
        ["silent", "provider.timeout"],
        ["cut", "provider.unavailable"],
        ["garbage", "provider.unavailable"]
      ] as const
      const ready = { status: 200, body: { data: [{ id: "llama3" }] } }
      for (const [fault, code] of faults) {
        next(ready, fault)
        assert.strictEqual((yield* failureOf(ask(server(url, { totalMs: 300 })))).code, code)
      }
    })
  )
})
