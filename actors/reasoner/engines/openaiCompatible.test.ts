import { assert, describe, it } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import { createServer, type IncomingMessage, type ServerResponse } from "node:http"
import type { AddressInfo } from "node:net"
import { text } from "node:stream/consumers"
import type { ReplyRequest } from "../Engine.ts"
import * as Redacted from "effect/Redacted"
import { openaiCompatible } from "./openaiCompatible.ts"

interface Asked {
  readonly url: string
  readonly key?: string
  readonly firstByteMs?: number
  readonly totalMs?: number
}

type Answer = (response: ServerResponse, body: Readonly<Record<string, unknown>>, request: IncomingMessage) => void

/** A real server on a free port that gives each request the next answer (the last one again and again). */
const server = (...answers: ReadonlyArray<Answer>) =>
  Effect.acquireRelease(
    Effect.callback<{ readonly url: string; readonly bodies: Array<Readonly<Record<string, unknown>>>; readonly close: () => void }>(
      (resume) => {
        const bodies: Array<Readonly<Record<string, unknown>>> = []
        const http = createServer((request, response) => {
          void text(request).then((json) => {
            const body = JSON.parse(json) as Record<string, unknown>
            bodies.push(body)
            return answers[Math.min(bodies.length, answers.length) - 1]?.(response, body, request)
          })
        })
        const close = () => {
          http.close()
          http.closeAllConnections()
        }
        http.listen(0, "127.0.0.1", () =>
          resume(Effect.succeed({ url: `http://127.0.0.1:${(http.address() as AddressInfo).port}/v1`, bodies, close }))
        )
      }
    ),
    ({ close }) => Effect.sync(close)
  )

const request: ReplyRequest = {
  messages: [
    { role: "system", content: "s" },
    { role: "user", content: "q" }
  ],
  maxTokens: 7,
  temperature: 0,
  model: "",
  prefix: ""
}

const chunk = (content: string, more: object = {}) =>
  `data: ${JSON.stringify({ model: "served", choices: [{ index: 0, delta: { content }, finish_reason: null }], ...more })}\n\n`
const finish = `data: ${JSON.stringify({ choices: [{ delta: {}, finish_reason: "length" }] })}\n\n`
const usage = `data: ${JSON.stringify({ choices: [], usage: { prompt_tokens: 11, completion_tokens: 2 } })}\n\n`
const stream = (response: ServerResponse) => response.writeHead(200, { "content-type": "text/event-stream" })
const ok: Answer = (response) => void stream(response).end(`${chunk("Hel")}${chunk("lo.")}data: [DONE]\n\n`)
const status =
  (code: number, body: unknown = {}, headers: Record<string, string> = {}): Answer =>
  (response) =>
    void response.writeHead(code, { "content-type": "application/json", ...headers }).end(JSON.stringify(body))

const ask = ({ url, key, ...limits }: Asked, change: Partial<ReplyRequest> = {}) =>
  Stream.runCollect(
    openaiCompatible({
      endpoint: { label: "The chat endpoint", url, keyName: "chat", key: key === undefined ? undefined : Redacted.make(key) },
      model: "default",
      ...limits
    }).reply({ ...request, ...change })
  ).pipe(Effect.map((parts) => ({ text: parts.map((part) => (part._tag === "Token" ? part.text : "")).join(""), done: parts.at(-1) })))

const failure = (endpoint: Asked) =>
  Effect.exit(ask(endpoint)).pipe(
    Effect.flatMap((exit) =>
      exit._tag === "Failure" ? Effect.fromOption(Cause.findErrorOption(exit.cause)) : Effect.die(new Error("it succeeded"))
    )
  )

const live = (name: string, test: () => Effect.Effect<void, unknown, Scope.Scope>) => it.live(name, () => Effect.scoped(test()))

describe("openai-compatible", () => {
  live("streams the text, then usage and reason", () =>
    Effect.gen(function* () {
      const { url, bodies } = yield* server(
        (response) => void stream(response).end(`: hello\n\n${chunk("Hel")}${chunk("lo.")}${finish}${usage}data: [DONE]\n\n`)
      )
      const { text, done } = yield* ask({ url })
      assert.strictEqual(text, "Hello.")
      assert.deepStrictEqual(done, { _tag: "Done", model: "served", finish: "length", usage: { promptTokens: 11, completionTokens: 2 } })
      assert.deepInclude(bodies[0], { model: "default", stream: true, max_tokens: 7, temperature: 0 })
      assert.deepStrictEqual(bodies[0]?.["messages"], request.messages)
    })
  )

  live("sends the key and the model of the session", () =>
    Effect.gen(function* () {
      let header: string | undefined
      const { url, bodies } = yield* server((response, body, { headers }) => {
        header = headers.authorization
        ok(response, body, {} as IncomingMessage)
      })
      yield* ask({ url: `${url}/`, key: "secret" }, { model: "mine" })
      assert.strictEqual(header, "Bearer secret")
      assert.strictEqual(bodies[0]?.["model"], "mine")
    })
  )

  live("takes CRLF, split characters, no [DONE], no usage", () =>
    Effect.gen(function* () {
      const bytes = Buffer.from((chunk("Grüße ") + chunk("😀")).replaceAll("\n", "\r\n"))
      const { url } = yield* server((response) => {
        stream(response)
        const send = (at: number): unknown =>
          at < bytes.length ? response.write(bytes.subarray(at, at + 3), () => setImmediate(send, at + 3)) : response.end()
        send(0)
      })
      const { text, done } = yield* ask({ url })
      assert.strictEqual(text, "Grüße 😀")
      assert.deepInclude(done, { finish: "stop", usage: { promptTokens: 0, completionTokens: 0 } })
    })
  )

  live("takes a server that does not stream", () =>
    Effect.gen(function* () {
      const { url } = yield* server(
        status(200, {
          choices: [{ message: { content: "Hello." }, finish_reason: "stop" }],
          usage: { prompt_tokens: 1, completion_tokens: 2 }
        })
      )
      assert.strictEqual((yield* ask({ url })).text, "Hello.")
    })
  )

  live("leaves out what a server does not know", () =>
    Effect.gen(function* () {
      const { url, bodies } = yield* server(
        status(400, { error: { message: "Unrecognized request argument supplied: stream_options" } }),
        status(400, { error: { message: "Unsupported parameter: 'max_tokens'. Use 'max_completion_tokens'." } }),
        ok
      )
      assert.strictEqual((yield* ask({ url })).text, "Hello.")
      assert.isUndefined(bodies[2]?.["stream_options"])
      assert.strictEqual(bodies[2]?.["max_completion_tokens"], 7)
    })
  )

  live("goes on after what was said", () =>
    Effect.gen(function* () {
      const { url, bodies } = yield* server(ok)
      yield* ask({ url }, { prefix: "One." })
      const sent = bodies[0]?.["messages"] as ReadonlyArray<{ readonly role: string; readonly content: string }>
      assert.deepStrictEqual(sent.slice(0, 3), [...request.messages, { role: "assistant", content: "One." }])
      assert.strictEqual(sent[3]?.role, "user")
    })
  )

  const refusals: ReadonlyArray<readonly [number, string, "Terminal" | "Retryable"]> = [
    [401, "provider.auth", "Terminal"],
    [403, "provider.auth", "Terminal"],
    [402, "provider.quota", "Terminal"],
    [404, "provider.model", "Terminal"],
    [400, "provider.rejected", "Terminal"],
    [422, "provider.rejected", "Terminal"],
    [408, "provider.timeout", "Retryable"],
    [429, "provider.rate_limited", "Retryable"],
    [500, "provider.unavailable", "Retryable"],
    [503, "provider.unavailable", "Retryable"]
  ]
  for (const [code, expected, tag] of refusals) {
    live(`${code} is ${tag} ${expected}`, () =>
      Effect.gen(function* () {
        const { url, bodies } = yield* server(status(code, { error: { message: "because" } }))
        const found = yield* failure({ url, key: "secret-key" })
        assert.deepStrictEqual([found._tag, found.code], [tag, expected])
        assert.notInclude(found.message, "secret-key")
        if (code === 404) assert.include(found.message, '"default"')
        if (code === 400) assert.include(found.message, "because")
        assert.strictEqual(bodies.length, 1)
      })
    )
  }

  live("waits as long as the server asks", () =>
    Effect.gen(function* () {
      const { url, bodies } = yield* server(status(429, {}, { "retry-after": "3" }))
      const found = yield* failure({ url })
      assert.deepInclude(found, { _tag: "Retryable", delayMs: 3000 })
      assert.strictEqual(bodies.length, 1)
    })
  )

  const broken: ReadonlyArray<readonly [string, Answer]> = [
    [
      "a connection that breaks off",
      (response) =>
        void stream(response).write(chunk("Hel"), () => {
          setImmediate(() => response.destroy())
        })
    ],
    ["an answer without a word", (response) => void stream(response).end("data: [DONE]\n\n")],
    ["something else than chat", (response) => void stream(response).end("data: <html>\n\n")],
    ["an error in the stream", (response) => void stream(response).end(`${chunk("Hel")}data: {"error":{"message":"out of memory"}}\n\n`)],
    ["a stream that stops in the middle of a line", (response) => void stream(response).end(`${chunk("Hel")}data: {"choices":[{"de`)]
  ]
  for (const [name, answer] of broken) {
    live(`${name} is retryable`, () =>
      Effect.gen(function* () {
        const { url } = yield* server(answer)
        assert.deepInclude(yield* failure({ url }), { _tag: "Retryable", code: "provider.unavailable" })
      })
    )
  }

  live("a server that never begins, never ends, or is not there is retryable", () =>
    Effect.gen(function* () {
      const silent = yield* server(() => undefined)
      assert.deepInclude(yield* failure({ url: silent.url, firstByteMs: 50, totalMs: 5_000 }), {
        _tag: "Retryable",
        code: "provider.timeout"
      })
      const endless = yield* server((response) => void stream(response).write(chunk("Hel")))
      assert.deepInclude(yield* failure({ url: endless.url, totalMs: 300 }), { _tag: "Retryable", code: "provider.timeout" })
      const { url, close } = yield* server(ok)
      close()
      assert.deepInclude(yield* failure({ url }), { _tag: "Retryable", code: "provider.unreachable" })
    })
  )

  live("an interrupt ends the request", () =>
    Effect.gen(function* () {
      let closed = false
      const { url } = yield* server((response) => {
        response.on("close", () => void (closed = true))
        stream(response).write(chunk("Hel"))
      })
      assert.isTrue(Option.isNone(yield* ask({ url }).pipe(Effect.timeoutOption(150))))
      yield* Effect.sleep(50)
      assert.isTrue(closed)
    })
  )

  live("says what to set when nothing is configured", () =>
    Effect.gen(function* () {
      const found = yield* failure({ url: "" })
      assert.deepInclude(found, { _tag: "Terminal", code: "config.invalid" })
      assert.include(found.message, "VOXBUS_CHAT_URL")
    })
  )
})
