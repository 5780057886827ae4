/**
 * A server on this machine that speaks the protocols of the providers as they document them: OpenAI's models, chat,
 * transcription and speech (under `/v1`), OpenWebUI (under `/api`), ElevenLabs (`/v1/voices`, `/v1/text-to-speech`). It
 * keeps what it was asked, and fails in every way a network can.
 */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http"
import type { AddressInfo } from "node:net"
import { buffer } from "node:stream/consumers"

/** How one request fails. */
export type Fault =
  | { readonly status: number; readonly body?: unknown; readonly headers?: Readonly<Record<string, string>> }
  /** Never answers; closes before an answer; closes in the middle of one; ends its half without an end; answers nonsense. */
  | "silent"
  | "break"
  | "cut"
  | "half-closed"
  | "garbage"

export interface Asked {
  readonly path: string
  readonly headers: IncomingMessage["headers"]
  readonly json: any
  readonly form: FormData | undefined
  readonly bytes: number
}

export interface ProviderServer {
  /** Without a path. */
  readonly url: string
  readonly asked: Array<Asked>
  /** The next requests fail so, one each. */
  readonly next: (...faults: ReadonlyArray<Fault>) => void
  /** Every request fails so, until it is called with nothing. */
  readonly always: (fault?: Fault) => void
  readonly close: () => Promise<void>
}

/** Keys it accepts; any, when there are none. */
export interface Options {
  readonly key?: string
  readonly models?: ReadonlyArray<string>
  /** What it says of a question, by sentences. */
  readonly answer?: ReadonlyArray<string>
  /** Tools it calls in reply to a question that offers some; then it answers with what they said. */
  readonly calls?: ReadonlyArray<{ readonly name: string; readonly arguments: string }>
  readonly port?: number
}

export const ANSWER = ["The capital is Paris.", "It lies on the Seine."]
/** What it hears in any audio, with the punctuation that its words lack. */
export const HEARD = "Hello there, what's up?"
const WORDS = ["Hello", "there", "what's", "up"]

const write = (response: ServerResponse, status: number, body: unknown, headers: Readonly<Record<string, string>> = {}) =>
  void response.writeHead(status, { "content-type": "application/json", ...headers }).end(JSON.stringify(body))

/** Half a second of a tone, `s16le`. */
const tone = (rate: number): Buffer => {
  const samples = Int16Array.from({ length: rate / 2 }, (_, n) => 8_000 * Math.sin((2 * Math.PI * 440 * n) / rate))
  return Buffer.from(samples.buffer)
}

const chunk = (model: string, content: string, finish: string | null = null) =>
  `data: ${JSON.stringify({ id: "chatcmpl-1", object: "chat.completion.chunk", model, choices: [{ index: 0, delta: { content }, finish_reason: finish }] })}\n\n`

/** A stream of words, which a fault may end early. */
const chat = (response: ServerResponse, model: string, answer: ReadonlyArray<string>, fault: Fault | undefined) => {
  response.writeHead(200, { "content-type": "text/event-stream" })
  const words = answer.join(" ").split(/(?= )/)
  const sent = fault === "cut" || fault === "half-closed" ? words.slice(0, Math.ceil(words.length / 2)) : words
  for (const word of sent) response.write(chunk(model, word))
  if (fault === "cut") return void setTimeout(() => response.destroy(), 20)
  // The server's half is over, the request's is not: what a proxy that was restarted leaves behind.
  if (fault === "half-closed") return void setTimeout(() => response.socket?.end(), 20)
  response.write(chunk(model, "", "stop"))
  response.write(`data: ${JSON.stringify({ model, choices: [], usage: { prompt_tokens: 9, completion_tokens: words.length } })}\n\n`)
  response.end("data: [DONE]\n\n")
}

/** A stream of calls: the first piece of each has id and name, the arguments come in two. */
const toolCalls = (response: ServerResponse, model: string, calls: NonNullable<Options["calls"]>) => {
  response.writeHead(200, { "content-type": "text/event-stream" })
  const send = (delta: object, finish: string | null = null) =>
    response.write(`data: ${JSON.stringify({ id: "chatcmpl-1", model, choices: [{ index: 0, delta, finish_reason: finish }] })}\n\n`)
  for (const [index, call] of calls.entries()) {
    const half = Math.ceil(call.arguments.length / 2)
    const first = { name: call.name, arguments: call.arguments.slice(0, half) }
    send({ role: "assistant", content: null, tool_calls: [{ index, id: `call_${call.name}_${index}`, type: "function", function: first }] })
    send({ tool_calls: [{ index, function: { arguments: call.arguments.slice(half) } }] })
  }
  send({}, "tool_calls")
  response.write(`data: ${JSON.stringify({ model, choices: [], usage: { prompt_tokens: 9, completion_tokens: 4 } })}\n\n`)
  response.end("data: [DONE]\n\n")
}

const audio = (response: ServerResponse, rate: number, fault: Fault | undefined) => {
  response.writeHead(200, { "content-type": "audio/pcm" })
  const bytes = tone(rate)
  if (fault !== "cut") return void response.end(bytes)
  response.write(bytes.subarray(0, 1001), () => setTimeout(() => response.destroy(), 20))
}

const transcription = (form: FormData | undefined) =>
  form?.get("response_format") === "verbose_json"
    ? {
        task: "transcribe",
        language: "english",
        duration: 2,
        text: HEARD,
        segments: [{ id: 0, seek: 0, start: 0, end: 2, text: HEARD, avg_logprob: -0.2, compression_ratio: 1, no_speech_prob: 0.01 }],
        words: WORDS.map((word, i) => ({ word, start: i * 0.5, end: i * 0.5 + 0.4 }))
      }
    : { text: HEARD }

const keyOf = ({ headers }: Asked): string => String(headers["xi-api-key"] ?? headers.authorization ?? "").replace(/^Bearer /, "")

/** The answer of a server that is well, or the fault that a stream needs to know of. */
const answer = (response: ServerResponse, asked: Asked, options: Options, fault: Fault | undefined): void => {
  const models = options.models ?? ["gpt-small", "llama3"]
  const path = asked.path.split("?")[0] ?? ""
  if (options.key !== undefined && keyOf(asked) !== options.key)
    return write(response, 401, { error: { message: `Incorrect API key provided: ${keyOf(asked)}.`, code: "invalid_api_key" } })
  if (path.endsWith("/models"))
    return write(response, 200, { object: "list", data: models.map((id) => ({ id, object: "model", owned_by: "library" })) })
  if (path.endsWith("/chat/completions")) {
    if (!models.includes(asked.json.model) && asked.json.model !== "")
      return write(response, 404, { error: { message: `The model '${asked.json.model}' does not exist`, code: "model_not_found" } })
    const last = asked.json.messages.at(-1)
    if (options.calls !== undefined && asked.json.tools !== undefined && last.role === "user")
      return toolCalls(response, asked.json.model, options.calls)
    const answer = last.role === "tool" ? [`The tool says: ${last.content}`] : (options.answer ?? ANSWER)
    return chat(response, asked.json.model, answer, fault)
  }
  if (path.endsWith("/audio/transcriptions") || path.endsWith("/audio/translations")) return write(response, 200, transcription(asked.form))
  if (path.endsWith("/audio/speech")) return audio(response, 24_000, fault)
  if (path === "/v1/voices") return write(response, 200, { voices: [{ voice_id: "v1", name: "Rachel", category: "premade" }] })
  if (path.startsWith("/v1/text-to-speech/"))
    return asked.json.text.length > 5000
      ? write(response, 400, { detail: { status: "max_character_limit_exceeded", message: "Text is too long." } })
      : audio(response, 22_050, fault)
  return write(response, 404, { detail: "Not Found" })
}

const respond = (response: ServerResponse, asked: Asked, options: Options, fault: Fault | undefined): void => {
  if (fault === "silent") return
  if (fault === "break") return void response.destroy()
  if (fault === "garbage") return void response.writeHead(200, { "content-type": "text/event-stream" }).end("data: <html>\n\n")
  if (typeof fault === "object") return write(response, fault.status, fault.body ?? {}, fault.headers)
  return answer(response, asked, options, fault)
}

const parse = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** Starts it on a free port, or on the one of a server that was closed. */
export const providerServer = async (options: Options = {}): Promise<ProviderServer> => {
  const asked: Array<Asked> = []
  let queue: Array<Fault> = []
  let lasting: Fault | undefined
  const server = createServer((request, response) => {
    response.on("error", () => undefined)
    const take = async () => {
      const body = await buffer(request)
      const type = request.headers["content-type"] ?? ""
      const form = type.startsWith("multipart/")
        ? await new Response(new Uint8Array(body), { headers: { "content-type": type } }).formData()
        : undefined
      const entry = { path: request.url ?? "", headers: request.headers, json: parse(body.toString()), form, bytes: body.length }
      asked.push(entry)
      respond(response, entry, options, queue.shift() ?? lasting)
    }
    void take()
  })
  await new Promise<void>((resolve) => server.listen(options.port ?? 0, "127.0.0.1", resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    asked,
    next: (...faults) => void (queue = [...queue, ...faults]),
    always: (fault) => void (lasting = fault),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      })
  }
}
