/**
 * Any server that speaks OpenAI's chat protocol: Ollama, llama-server, vLLM, LM Studio, OpenAI (`/v1`); OpenWebUI builds on
 * it (`openwebui.ts`).
 *
 * Servers differ in what they leave out: usage, `[DONE]`, the stream itself. Gotcha: an answer that was cut off goes on
 * with an instruction to continue, because only some servers can continue an assistant message.
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import { type Failure, Retryable, Terminal } from "../../../kernel/Failure.ts"
import { type Answer, complaint, type Endpoint, late, lost, refusal, send } from "../../../kernel/ProviderHttp.ts"
import type { Engine, Message, ReplyPart, ReplyRequest, ToolCall, ToolDescription } from "../Engine.ts"
import { eventData } from "./serverSentEvents.ts"

export interface ChatServer {
  /** Up to and with `/v1`. */
  readonly endpoint: Endpoint
  /** Used when the session names none. */
  readonly model: string
  /** Milliseconds until the server must begin to answer; 10 s by default. */
  readonly firstByteMs?: number
  /** Milliseconds for the whole answer; 60 s by default. */
  readonly totalMs?: number
  /** Fields that this server's requests have besides. */
  readonly extra?: Readonly<Record<string, unknown>>
}

const CONTINUE = "Your last answer was cut off. Go on exactly where it stopped. Repeat nothing."
/** A piece of a call: the first has id and name, all have a part of the arguments. Some servers leave out `index`. */
const CallPart = Schema.Struct({
  index: Schema.optionalKey(Schema.NullOr(Schema.Int)),
  id: Schema.optionalKey(Schema.NullOr(Schema.String)),
  function: Schema.optionalKey(
    Schema.Struct({
      name: Schema.optionalKey(Schema.NullOr(Schema.String)),
      arguments: Schema.optionalKey(Schema.NullOr(Schema.String))
    })
  )
})
const Content = Schema.Struct({
  content: Schema.optionalKey(Schema.NullOr(Schema.String)),
  tool_calls: Schema.optionalKey(Schema.NullOr(Schema.Array(CallPart)))
})
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

const conversation = ({ messages, prefix }: ReplyRequest): ReadonlyArray<Message> =>
  prefix === "" ? messages : [...messages, { role: "assistant", content: prefix }, { role: "user", content: CONTINUE }]

type Body = Readonly<Record<string, unknown>>

const asSent = ({ role, content, toolCalls, toolCallId }: Message): Body => ({
  role,
  content,
  ...(toolCalls === undefined
    ? {}
    : { tool_calls: toolCalls.map(({ id, name, arguments: text }) => ({ id, type: "function", function: { name, arguments: text } })) }),
  ...(toolCallId === undefined ? {} : { tool_call_id: toolCallId })
})

const described = ({ name, description, parameters }: ToolDescription): Body => ({
  type: "function",
  function: { name, description, parameters }
})

const bodyOf = (request: ReplyRequest, model: string, extra: Body): Body => ({
  ...extra,
  model,
  messages: conversation(request).map(asSent),
  stream: true,
  stream_options: { include_usage: true },
  max_tokens: request.maxTokens,
  temperature: request.temperature,
  ...((request.tools ?? []).length === 0 ? {} : { tools: request.tools?.map(described) })
})

/** The request without the field a server complains about; not every server (or model) takes every one. */
const without = (body: Body, complaint: string): Body | undefined => {
  const { tools, ...toolless } = body
  // Ollama of a model without the template for it: "does not support tools".
  if (tools !== undefined && /\btools?\b/.test(complaint)) return toolless
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
  readonly calls: Array<ToolCall>
  usage: { readonly promptTokens: number; readonly completionTokens: number }
}

/** Puts a piece of a call where it belongs; without an index an id begins the next. */
const collect = (part: typeof CallPart.Type, calls: Array<ToolCall>): void => {
  const index = part.index ?? ((part.id ?? "") === "" ? Math.max(0, calls.length - 1) : calls.length)
  const before = calls[index]
  calls[index] = {
    id: before?.id || part.id || `call_${index + 1}`,
    name: `${before?.name ?? ""}${part.function?.name ?? ""}`,
    arguments: `${before?.arguments ?? ""}${part.function?.arguments ?? ""}`
  }
}

/** Text of one chunk; what it says besides goes into `progress`. */
const read = (chunk: Chunk, progress: Progress): string => {
  const choice = chunk.choices?.[0]
  const text = choice?.delta?.content ?? choice?.message?.content ?? ""
  if (choice?.finish_reason === "length") progress.finish = "length"
  if (typeof chunk.model === "string" && chunk.model !== "") progress.model = chunk.model
  if (chunk.usage) progress.usage = { promptTokens: chunk.usage.prompt_tokens ?? 0, completionTokens: chunk.usage.completion_tokens ?? 0 }
  if (text !== "") progress.text = true
  for (const part of choice?.delta?.tool_calls ?? choice?.message?.tool_calls ?? []) collect(part, progress.calls)
  return text
}

/** The chat protocol against one server, under the name of the engine that uses it. */
export const chatEngine = (name: string, server: ChatServer): Engine => {
  const { endpoint } = server
  const firstByteMs = server.firstByteMs ?? 10_000
  const totalMs = server.totalMs ?? 60_000
  const broken = (why: string) => new Retryable({ code: "provider.unavailable", message: `${endpoint.label} ${why}` })

  const configured = Effect.gen(function* () {
    if (endpoint.url === "") {
      return yield* new Terminal({
        code: "config.invalid",
        message: `${endpoint.label} is not configured. Set VOXBUS_CHAT_URL, for example to http://localhost:11434/v1, or see: npx voxbus providers discover`
      })
    }
  })

  const open = (body: Body, model: string): Effect.Effect<Answer, Failure, Scope.Scope> =>
    Effect.gen(function* () {
      const request = { method: "POST", path: "/chat/completions", json: body, accept: "text/event-stream", firstByteMs, totalMs } as const
      const answer = yield* send(endpoint, request)
      if (answer.status < 300) return answer
      const text = yield* answer.text
      const simpler = answer.status === 400 || answer.status === 422 ? without(body, text) : undefined
      if (simpler !== undefined) return yield* open(simpler, model)
      return yield* refusal(endpoint, { model }, answer, text, yield* Clock.currentTimeMillis)
    })

  const parse = (data: string) =>
    Schema.decodeUnknownEffect(Chunk)(data).pipe(
      Effect.mapError(() => broken("sent something that is not the chat protocol.")),
      Effect.filterOrFail(
        (chunk) => chunk.error === undefined || chunk.error === null,
        () => broken(`failed while it answered.${complaint(data).says}`)
      )
    )

  const reply = (request: ReplyRequest): Stream.Stream<ReplyPart, Failure> =>
    Stream.unwrap(
      Effect.gen(function* () {
        yield* configured
        const model = request.model === "" ? server.model : request.model
        const answer = yield* open(bodyOf(request, model, server.extra ?? {}), model)
        const progress: Progress = { model, finish: "stop", text: false, calls: [], usage: { promptTokens: 0, completionTokens: 0 } }
        const bytes = Stream.fromAsyncIterable<Uint8Array, Failure>(answer.body, lost(endpoint))
        const streamed = !(answer.headers["content-type"] ?? "").includes("json")
        const tokens = (streamed ? eventData(bytes) : Stream.fromEffect(Stream.mkString(Stream.decodeText(bytes)))).pipe(
          Stream.mapEffect(parse),
          Stream.map((chunk) => read(chunk, progress)),
          Stream.filter((text) => text !== ""),
          Stream.map((text): ReplyPart => ({ _tag: "Token", text }))
        )
        const done = Effect.suspend((): Effect.Effect<ReplyPart, Failure> =>
          progress.text || progress.calls.length > 0
            ? Effect.succeed({
                _tag: "Done",
                model: progress.model,
                finish: progress.finish,
                usage: progress.usage,
                ...(progress.calls.length === 0 ? {} : { calls: progress.calls.filter((call) => call !== undefined) })
              })
            : Effect.fail(broken("ended its answer without a word."))
        )
        return Stream.concat(tokens, Stream.fromEffect(done))
      })
    ).pipe(Stream.interruptWhen(Effect.andThen(Effect.sleep(totalMs), Effect.fail(late(endpoint, totalMs)))))

  return { name, prepare: configured, shape: (messages) => Effect.succeed(messages), reply }
}

export const openaiCompatible = (server: ChatServer): Engine => chatEngine("openai-compatible", server)
