/**
 * `POST /v1/chat/completions`: the reasoner answers. The messages become the events of a conversation (what the client calls
 * history is put on the log as turns that nobody answers), so the model sees them as it sees every conversation.
 *
 * An answer comes in sentences, without markup: it is made to be spoken, and a sentence is what the log has. Tools, several
 * answers and forced formats are refused by name.
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type * as HttpServerRequest from "effect/http/HttpServerRequest"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Stream from "effect/Stream"
import { createHash } from "node:crypto"
import { typedText } from "../../kernel/TypedText.ts"
import type { EventOf } from "../../contract/Events.ts"
import { type ChatMessage, ChatRequest } from "../../contract/OpenAi.ts"
import type { SessionConfig } from "../../contract/Session.ts"
import type { Failure } from "../../kernel/Failure.ts"
import { Settings } from "../../kernel/Settings.ts"
import { demand } from "../Access.ts"
import { jsonBody } from "./Body.ts"
import { chosen } from "./Models.ts"
import { makePrivate, type Private } from "./Private.ts"
import { Parameter } from "./Problem.ts"
import { sse } from "./Sse.ts"

/** Exchanges that are put on the log at most; the model's window is smaller. */
const MOST_EXCHANGES = 100
const MOST_TOKENS = 4096

const decodeBody = jsonBody(ChatRequest)

/** What would change the answer and cannot be done. */
const unsupported = (body: ChatRequest): Parameter | undefined => {
  const no = (param: string, why: string) => new Parameter(param, `"${param}" is not supported here: ${why}.`)
  if ((body.tools ?? []).length > 0) return no("tools", "the reasoner calls no tools of clients")
  if ((body.functions ?? []).length > 0) return no("functions", "the reasoner calls no functions of clients")
  if ((body.n ?? 1) !== 1) return no("n", "there is one answer")
  if (body.stop !== null && body.stop !== undefined && body.stop.length > 0) return no("stop", "an answer ends by itself or at max_tokens")
  if ((body.response_format?.type ?? "text") !== "text") return no("response_format", "answers are text")
  if (body.logprobs === true) return no("logprobs", "the log does not keep them")
  if ((body.modalities ?? []).some((each) => each !== "text")) return no("modalities", "ask /v1/audio/speech for the voice")
  return undefined
}

export interface Exchange {
  readonly question: string
  readonly answer: string
}

export interface Talk {
  readonly system: string
  readonly history: ReadonlyArray<Exchange>
  readonly question: string
}

const contentOf = ({ content }: typeof ChatMessage.Type): Effect.Effect<string, Parameter> => {
  if (content === null || content === undefined) return Effect.succeed("")
  if (typeof content === "string") return Effect.succeed(content)
  const strange = content.find(({ type }) => type !== "text")
  return strange === undefined
    ? Effect.succeed(content.map(({ text }) => text ?? "").join(""))
    : Effect.fail(new Parameter("messages", `A message has a part of type "${strange.type.slice(0, 40)}"; only text is taken.`))
}

/** Messages as turns: a question with the answer that followed, and the question to answer now. */
export const talkOf = Effect.fnUntraced(function* (messages: ChatRequest["messages"]): Effect.fn.Return<Talk, Parameter> {
  const system: Array<string> = []
  const turns: Array<Exchange> = []
  for (const message of messages) {
    const { role } = message
    if (role === "tool" || role === "function" || (message.tool_calls ?? []).length > 0)
      return yield* new Parameter("messages", "Messages of tools are not supported here.")
    const text = yield* contentOf(message)
    const last = turns.at(-1)
    if (role === "system" || role === "developer") system.push(text)
    else if (role === "user") turns.push({ question: text, answer: "" })
    else if (role !== "assistant") return yield* new Parameter("messages", `There is no role "${role.slice(0, 40)}".`)
    else if (last === undefined) turns.push({ question: "", answer: text })
    else turns[turns.length - 1] = { question: last.question, answer: last.answer === "" ? text : `${last.answer}\n${text}` }
  }
  const asked = turns.at(-1)
  if (asked === undefined || asked.answer !== "" || asked.question.trim() === "")
    return yield* new Parameter("messages", "The last message is not a question of the user.")
  return { system: system.join("\n\n"), history: turns.slice(0, -1).slice(-MOST_EXCHANGES), question: asked.question }
})

/** An answer that the client gave, as if it had been made here. */
export const given = ({ mode, session }: Private["session"], unit: number, text: string): EventOf<"reply.ready"> => ({
  _tag: "reply.ready",
  v: 1,
  mode,
  session,
  unit,
  text,
  sentences: 0,
  engine: "client",
  model: "",
  contextSha256: createHash("sha256").update("[]").digest("hex"),
  usage: { promptTokens: 0, completionTokens: 0 },
  firstTokenMs: 0,
  computeMs: 0,
  finish: "stop",
  generation: 0
})

/** Puts turns on the log that are known to the model and answered by nobody. */
const recall = ({ session, publish }: Private, history: ReadonlyArray<Exchange>) =>
  Effect.forEach(
    history.flatMap(({ question, answer }, index) => [
      typedText({ ...session, config: { ...session.config, until: "text" } }, index + 1, question),
      ...(answer === "" ? [] : [given(session, index + 1, answer)])
    ]),
    publish,
    { concurrency: 8, discard: true }
  )

const usageOf = ({ usage }: EventOf<"reply.ready">) => ({
  prompt_tokens: usage.promptTokens,
  completion_tokens: usage.completionTokens,
  total_tokens: usage.promptTokens + usage.completionTokens
})

const finishOf = ({ finish }: EventOf<"reply.ready">): "stop" | "length" => (finish === "length" ? "length" : "stop")

type Said = EventOf<"reply.drafted"> | EventOf<"reply.ready">

/** Lives as long as the gateway. */
export const makeChat = Effect.gen(function* () {
  const settings = yield* Settings
  const open = yield* makePrivate

  const configFor = Effect.fnUntraced(function* (body: ChatRequest, talk: Talk) {
    const { session } = yield* settings.reload
    const { reasoner } = session
    const config: SessionConfig = {
      ...session,
      until: "reply",
      reasoner: {
        ...reasoner,
        model: yield* Effect.provideService(chosen(body.model, ["llm"], reasoner.model), Settings, settings),
        systemPrompt: talk.system === "" ? reasoner.systemPrompt : talk.system,
        historyExchanges: MOST_EXCHANGES,
        maxTokens: Math.min(body.max_completion_tokens ?? body.max_tokens ?? reasoner.maxTokens, MOST_TOKENS),
        temperature: body.temperature ?? reasoner.temperature,
        // The client is the one who decides what is done; tools of this home are for conversations.
        tools: []
      }
    }
    return config
  })

  return Effect.fnUntraced(function* (request: HttpServerRequest.HttpServerRequest) {
    yield* demand("write")
    const body = yield* decodeBody(request)
    const refusal = unsupported(body)
    if (refusal !== undefined) return yield* refusal
    const talk = yield* talkOf(body.messages)
    const config = yield* configFor(body, talk)
    const unit = talk.history.length + 1
    const errand = yield* open("Chat", config, unit)
    yield* recall(errand, talk.history)
    yield* errand.publish(typedText(errand.session, unit, talk.question))
    const said: Stream.Stream<Said, Failure> = errand.events.pipe(
      Stream.filter((event): event is Said => (event._tag === "reply.drafted" || event._tag === "reply.ready") && event.unit === unit),
      Stream.takeUntil((event) => event._tag === "reply.ready"),
      Stream.tap((event) => (event._tag === "reply.ready" ? errand.done : Effect.void))
    )
    const created = Math.floor((yield* Clock.currentTimeMillis) / 1000)
    const common = { id: `chatcmpl-${errand.session.session}`, created, model: body.model }
    if (body.stream === true) {
      const chunk = (delta: object, finish: string | null, more: object = {}) => ({
        ...common,
        object: "chat.completion.chunk",
        choices: [{ index: 0, delta, logprobs: null, finish_reason: finish }],
        ...more
      })
      const withUsage = body.stream_options?.include_usage === true
      const chunks = said.pipe(
        Stream.flatMap((event): Stream.Stream<unknown> => {
          if (event._tag === "reply.drafted")
            return Stream.make(
              chunk(event.sentence === 1 ? { role: "assistant", content: event.text } : { content: ` ${event.text}` }, null)
            )
          const last = chunk({}, finishOf(event), { system_fingerprint: `${event.engine}/${event.model}` })
          return withUsage
            ? Stream.make(last, { ...common, object: "chat.completion.chunk", choices: [], usage: usageOf(event) })
            : Stream.make(last)
        })
      )
      return yield* sse(chunks, "[DONE]")
    }
    const events = yield* Stream.runCollect(said)
    const ready = events.find((event) => event._tag === "reply.ready")
    if (ready === undefined) return yield* Effect.die("the log of an answer ended early")
    return HttpServerResponse.jsonUnsafe(
      {
        ...common,
        object: "chat.completion",
        choices: [
          {
            index: 0,
            message: { role: "assistant", content: ready.text, refusal: null },
            logprobs: null,
            finish_reason: finishOf(ready)
          }
        ],
        usage: usageOf(ready),
        system_fingerprint: `${ready.engine}/${ready.model}`
      },
      { headers: { "cache-control": "no-store" } }
    )
  })
})
