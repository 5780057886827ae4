/**
 * Any server that speaks OpenAI's chat protocol: OpenWebUI (`/api`), Ollama, llama-server, vLLM, OpenAI (`/v1`).
 *
 * Servers differ in what they leave out: usage, `[DONE]`, the stream itself. Gotcha: an answer that was cut by a crash
 * goes on with an instruction to continue, because only some servers can continue an assistant message.
 */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schedule from "effect/Schedule"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import type { request as Request } from "undici"
import { describe, type Failure, Retryable, Terminal } from "../../../kernel/Failure.ts"
import { isOfflineRefusal } from "../../../kernel/Network.ts"
import type { Engine, Message, ReplyPart, ReplyRequest } from "../Engine.ts"
import { eventData } from "./serverSentEvents.ts"

export interface Endpoint {
  /** Up to and with `/v1` (or `/api`). */
  readonly url: string
  /** Used when the session names none. */
  readonly model: string
  /** Bearer key; empty: none is sent. */
  readonly key: string
  /** Milliseconds until the server must begin to answer; 10 s by default. */
  readonly firstByteMs?: number
  /** Milliseconds for the whole answer; 60 s by default. */
  readonly totalMs?: number
}

const CONTINUE = "Your last answer was cut off. Go on exactly where it stopped. Repeat nothing."
/** Quick tries before the runtime's slow ones; only while nothing of the answer has come. */
const QUICK_RETRIES = Schedule.spaced("200 millis").pipe(Schedule.upTo({ times: 2 }))

const Content = Schema.Struct({ content: Schema.optionalKey(Schema.NullOr(Schema.String)) })
const Chunk = Schema.fromJsonString(
  Schema.Struct({
    model: Schema.optionalKey(Schema.NullOr(Schema.String)),
    choices: Schema.optionalKey(
      Schema.NullOr(
        Schema.Array(
          Schema.Struct({
            /** Of a stream. */
            delta: Schema.optionalKey(Schema.NullOr(Content)),
            /** Of a server that does not stream. */
            message: Schema.optionalKey(Schema.NullOr(Content)),
            finish_reason: Schema.optionalKey(Schema.NullOr(Schema.String))
          })
        )
      )
    ),
    usage: Schema.optionalKey(
      Schema.NullOr(Schema.Struct({ prompt_tokens: Schema.optionalKey(Schema.Int), completion_tokens: Schema.optionalKey(Schema.Int) }))
    ),
    error: Schema.optionalKey(Schema.Unknown)
  })
)
type Chunk = typeof Chunk.Type

const ErrorBody = Schema.fromJsonString(
  Schema.Struct({
    error: Schema.optionalKey(Schema.Union([Schema.String, Schema.Struct({ message: Schema.String })])),
    detail: Schema.optionalKey(Schema.String)
  })
)

/** What the server says is wrong, shortened. */
const reasonOf = (body: string): string => {
  const { error, detail } = Option.getOrElse(Schema.decodeUnknownOption(ErrorBody)(body), (): typeof ErrorBody.Type => ({}))
  const text = (typeof error === "string" ? error : error?.message) ?? detail ?? ""
  return text === "" ? "" : ` It says: ${text.slice(0, 200)}`
}

const unavailable = (host: string, why: string, options: { readonly cause?: unknown; readonly delayMs?: number } = {}) =>
  new Retryable({
    code: "provider.unavailable",
    message: `The chat endpoint ${host} ${why} Check its address and that it runs.`,
    ...options
  })

const lost = (host: string) => (cause: unknown) =>
  isOfflineRefusal(cause)
    ? new Terminal({
        code: "network.offline",
        message: `Offline mode refused the chat endpoint ${host}. Leave out --offline, or use the embedded model.`,
        cause
      })
    : unavailable(host, `cannot be reached or broke off (${describe(cause)}).`, { cause })

/** `Retry-After` in milliseconds: seconds, or a date we leave to the runtime's own backoff. */
const retryAfter = (value: string | Array<string> | undefined) =>
  typeof value === "string" && /^\d+$/.test(value) ? { delayMs: Number(value) * 1000 } : {}

const refused = (host: string, status: number, model: string, body: string, after: string | Array<string> | undefined): Failure => {
  if (status === 401 || status === 403) {
    return new Terminal({
      code: "provider.auth",
      message: `The chat endpoint ${host} refused the key (${status}). Set VOXBUS_CHAT_API_KEY to a valid one.`
    })
  }
  if (status === 404) {
    return new Terminal({
      code: "provider.rejected",
      message: `The chat endpoint ${host} does not know the model "${model}" or the address is wrong (404).${reasonOf(body)}`
    })
  }
  if (status === 429 || status === 408 || status >= 500) return unavailable(host, `answered ${status}.${reasonOf(body)}`, retryAfter(after))
  return new Terminal({ code: "provider.rejected", message: `The chat endpoint ${host} refused the request (${status}).${reasonOf(body)}` })
}

const conversation = ({ messages, prefix }: ReplyRequest): ReadonlyArray<Message> =>
  prefix === "" ? messages : [...messages, { role: "assistant", content: prefix }, { role: "user", content: CONTINUE }]

type Body = Readonly<Record<string, unknown>>

const bodyOf = (request: ReplyRequest, model: string): Body => ({
  model,
  messages: conversation(request),
  stream: true,
  stream_options: { include_usage: true },
  max_tokens: request.maxTokens,
  temperature: request.temperature
})

/** The request without the field a server complains about; not every server (or model) takes every one. */
const without = (body: Body, complaint: string): Body | undefined => {
  const { stream_options, temperature, max_tokens, ...rest } = body
  if (stream_options !== undefined && complaint.includes("stream_options")) return { ...rest, temperature, max_tokens }
  if (max_tokens !== undefined && complaint.includes("max_tokens"))
    return { ...rest, stream_options, temperature, max_completion_tokens: max_tokens }
  if (temperature !== undefined && complaint.includes("temperature")) return { ...rest, stream_options, max_tokens }
  return undefined
}

interface Progress {
  model: string
  finish: "stop" | "length"
  text: boolean
  usage: { readonly promptTokens: number; readonly completionTokens: number }
}

/** Text of one chunk; what it says besides goes into `progress`. */
const read = (chunk: Chunk, progress: Progress): string => {
  const choice = chunk.choices?.[0]
  const text = choice?.delta?.content ?? choice?.message?.content ?? ""
  if (choice?.finish_reason === "length") progress.finish = "length"
  if (typeof chunk.model === "string" && chunk.model !== "") progress.model = chunk.model
  if (chunk.usage) progress.usage = { promptTokens: chunk.usage.prompt_tokens ?? 0, completionTokens: chunk.usage.completion_tokens ?? 0 }
  if (text !== "") progress.text = true
  return text
}

export const openaiCompatible = (endpoint: Endpoint): Engine => {
  const host = URL.canParse(endpoint.url) ? new URL(endpoint.url).host : endpoint.url
  const firstByteMs = endpoint.firstByteMs ?? 10_000
  const totalMs = endpoint.totalMs ?? 60_000

  const configured = Effect.gen(function* () {
    if (!URL.canParse(endpoint.url)) {
      return yield* new Terminal({
        code: "config.invalid",
        message: "No chat endpoint is configured. Set VOXBUS_CHAT_URL, for example to http://localhost:11434/v1."
      })
    }
  })

  const post = (body: Body, signal: AbortSignal) =>
    Effect.tryPromise({
      try: async () => {
        // Loaded with the first question: it costs 0.1 s, and the embedded model does without.
        const { request } = await import("undici")
        return request(`${endpoint.url.replace(/\/+$/, "")}/chat/completions`, {
          method: "POST",
          headers: {
            "content-type": "application/json",
            accept: "text/event-stream",
            ...(endpoint.key === "" ? {} : { authorization: `Bearer ${endpoint.key}` })
          },
          body: JSON.stringify(body),
          signal,
          headersTimeout: firstByteMs,
          bodyTimeout: totalMs
        })
      },
      catch: lost(host)
    })

  const open = (body: Body, model: string, signal: AbortSignal): Effect.Effect<Awaited<ReturnType<typeof Request>>, Failure> =>
    Effect.gen(function* () {
      const response = yield* post(body, signal)
      if (response.statusCode < 300) return response
      const text = yield* Effect.tryPromise({ try: () => response.body.text(), catch: lost(host) })
      const simpler = response.statusCode === 400 || response.statusCode === 422 ? without(body, text) : undefined
      if (simpler !== undefined) return yield* open(simpler, model, signal)
      return yield* refused(host, response.statusCode, model, text, response.headers["retry-after"])
    })

  const parse = (data: string) =>
    Schema.decodeUnknownEffect(Chunk)(data).pipe(
      Effect.mapError((cause) => unavailable(host, "sent something that is not the chat protocol.", { cause })),
      Effect.filterOrFail(
        (chunk) => chunk.error === undefined || chunk.error === null,
        () => unavailable(host, `failed while it answered.${reasonOf(data)}`)
      )
    )

  const reply = (request: ReplyRequest): Stream.Stream<ReplyPart, Failure> =>
    Stream.unwrap(
      Effect.gen(function* () {
        yield* configured
        const model = request.model === "" ? endpoint.model : request.model
        // Ends the request when the turn is interrupted, whatever it waits for.
        const controller = yield* Effect.acquireRelease(
          Effect.sync(() => new AbortController()),
          (controller) => Effect.sync(() => controller.abort())
        )
        const response = yield* open(bodyOf(request, model), model, controller.signal).pipe(
          Effect.retry({ while: (failure) => failure._tag === "Retryable" && failure.delayMs === undefined, schedule: QUICK_RETRIES })
        )
        const progress: Progress = { model, finish: "stop", text: false, usage: { promptTokens: 0, completionTokens: 0 } }
        const bytes = Stream.fromAsyncIterable<Uint8Array, Failure>(response.body, lost(host))
        const streamed = String(response.headers["content-type"] ?? "").includes("json") === false
        const tokens = (streamed ? eventData(bytes) : Stream.fromEffect(Stream.mkString(Stream.decodeText(bytes)))).pipe(
          Stream.mapEffect(parse),
          Stream.map((chunk) => read(chunk, progress)),
          Stream.filter((text) => text !== ""),
          Stream.map((text): ReplyPart => ({ _tag: "Token", text }))
        )
        const done = Effect.suspend((): Effect.Effect<ReplyPart, Failure> =>
          progress.text
            ? Effect.succeed({ _tag: "Done", model: progress.model, finish: progress.finish, usage: progress.usage })
            : Effect.fail(unavailable(host, "ended its answer without a word."))
        )
        return Stream.concat(tokens, Stream.fromEffect(done))
      })
    ).pipe(
      Stream.interruptWhen(Effect.andThen(Effect.sleep(totalMs), Effect.fail(unavailable(host, `did not finish within ${totalMs} ms.`))))
    )

  return { name: "openai-compatible", prepare: configured, shape: (messages) => Effect.succeed(messages), reply }
}
