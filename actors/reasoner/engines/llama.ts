/**
 * The embedded model: llama.cpp in this process through node-llama-cpp (imported only here, and only when needed: 0.5 s).
 *
 * One context keeps the tokens of the last conversation evaluated; a question costs only what is new in it. Threads are
 * leased per answer, and all but one are given back after the first sentence, when the voice starts beside it.
 * Gotcha: ggml threads spin. With more threads than cores an answer takes 20-45 times as long.
 */
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Queue from "effect/Queue"
import * as Semaphore from "effect/Semaphore"
import * as Stream from "effect/Stream"
import type * as Cause from "effect/Cause"
import type { ChatHistoryItem, ChatWrapper, Llama, LlamaContextSequence, LlamaModel, Token as TokenId } from "node-llama-cpp"
import { Cores, type Lease } from "../../../kernel/Cores.ts"
import { describe, type Failure, Retryable, Terminal } from "../../../kernel/Failure.ts"
import { Models } from "../../../kernel/Models.ts"
import { merged } from "../Conversation.ts"
import { type Engine, type Message, type ReplyPart, type ReplyRequest, withoutTools } from "../Engine.ts"
import { cut } from "../Sentences.ts"

const DEFAULT_MODEL = "smollm2-135m"
/** Tokens of prompt and answer together: a dozen spoken exchanges; older ones are left out. 2048 take 47 MB. */
const WINDOW = 2048
/** Tokens evaluated between two chances to be interrupted: 0.1-0.2 s on one slow core. The buffer for them grows with it: 0.2 MB a token. */
const PREFILL = 128
/** The same while nobody waits: a question that comes meanwhile waits for one step. */
const STEP_AHEAD = 32
/** An answer takes at most half of the window, however long it may be by the settings: the question needs room too. */
const atMost = (maxTokens: number) => Math.min(maxTokens, WINDOW / 2)
/**
 * Threads to ask for. A model this small gains nothing from more than four, and one core is left alone: on two cores one
 * thread costs 15 ms (first token 50 ms), while two that meet a busy machine spin for 1-20 s (measured).
 */
const threadsOf = (cores: number) => Math.max(1, Math.min(4, cores - 1))
/** Makes it less likely to repeat more than 8 of the last 64 tokens, which is how small models get stuck. Others stay as they are. */
const BROKEN_RECORD = { strength: 0.8, base: 1.75, allowedLength: 8, lastTokens: 64 }

/** Three short answers to learn the tone from: without them a 135M model rambles (11 of 14 plain questions right, with them 14). */
const EXAMPLES: ReadonlyArray<Message> = [
  { role: "user", content: "What is the capital of Italy?" },
  { role: "assistant", content: "The capital of Italy is Rome." },
  { role: "user", content: "How many months are in a year?" },
  { role: "assistant", content: "There are twelve months in a year." },
  { role: "user", content: "What color is grass?" },
  { role: "assistant", content: "Grass is green." }
]

interface Loaded {
  readonly name: string
  readonly llama: Llama
  readonly model: LlamaModel
  readonly sequence: LlamaContextSequence
  readonly wrapper: ChatWrapper
}

const failed = (cause: unknown) =>
  new Retryable({ code: "engine.failed", message: `The embedded language model failed: ${describe(cause)}`, cause })

/** A call into native code: an interrupt waits for it, so that no thread computes after its lease is back. */
const native = <A>(call: () => Promise<A>) => Effect.uninterruptible(Effect.tryPromise({ try: call, catch: failed }))

const load = (name: string, path: string, threads: number) =>
  Effect.tryPromise({
    try: async (): Promise<Loaded> => {
      const { getLlama, LlamaLogLevel, resolveChatWrapper } = await import("node-llama-cpp")
      const llama = await getLlama({
        gpu: false,
        build: "never",
        skipDownload: true,
        logLevel: LlamaLogLevel.error,
        progressLogs: false,
        maxThreads: threads
      })
      // llama.cpp copies the weights into a layout of its own; mapped, the file would stay in memory beside it (73 MB).
      const model = await llama.loadModel({ modelPath: path, useMmap: false })
      const context = await model.createContext({
        contextSize: Math.min(WINDOW, model.trainContextSize),
        sequences: 1,
        batchSize: PREFILL,
        threads
      })
      return { name, llama, model, sequence: context.getSequence(), wrapper: resolveChatWrapper(model) }
    },
    catch: (cause) =>
      new Terminal({
        code: "engine.unavailable",
        message: `The language model ${name} cannot be loaded: ${describe(cause)}. Run: npx voxbus doctor`,
        cause
      })
  })

const item = ({ role, content }: Message): ChatHistoryItem =>
  role === "assistant" ? { type: "model", response: [content] } : { type: role === "system" ? "system" : "user", text: content }

/** The prompt in the model's own chat format, open at its end for the answer after `prefix`. */
const tokenize = ({ model, wrapper }: Loaded, messages: ReadonlyArray<Message>, prefix: string): Array<TokenId> => {
  const chatHistory: Array<ChatHistoryItem> = [...messages.map(item), { type: "model", response: prefix === "" ? [] : [prefix] }]
  const tokens = wrapper.generateContextState({ chatHistory }).contextText.tokenize(model.tokenizer)
  // The wrapper always begins with the "beginning of sequence" token; SmolLM2 was trained without one.
  return tokens[0] === model.tokens.bos && !model.tokens.shouldPrependBosToken ? tokens.slice(1) : tokens
}

/** Makes the sequence hold all of `tokens` but the last ones, which are returned. What it holds already is not evaluated again. */
const prefill = Effect.fnUntraced(function* ({ sequence }: Loaded, tokens: ReadonlyArray<TokenId>, step = PREFILL) {
  yield* native(() => sequence.adaptStateToTokens(tokens.slice(0, -1), false))
  let left = tokens.slice(sequence.nextTokenIndex)
  while (left.length > step) {
    const part = left.slice(0, step)
    yield* native(() => sequence.evaluateWithoutGeneratingNewTokens(part))
    left = left.slice(step)
  }
  return left
})

/** Gives cores back once the first sentence is out. */
const shrinkAfterSentence = ({ llama }: Loaded, lease: Lease, text: string) => {
  if (lease.threads === 1 || llama.maxThreads === 1 || cut(text, { first: true, final: false }).sentences.length === 0) return Effect.void
  llama.maxThreads = 1
  return lease.shrink(1)
}

const generate = Effect.fnUntraced(function* (
  loaded: Loaded,
  request: ReplyRequest,
  lease: Lease,
  queue: Queue.Queue<ReplyPart, Failure | Cause.Done>
) {
  const { llama, model, sequence } = loaded
  llama.maxThreads = lease.threads
  const prompt = tokenize(loaded, request.messages, request.prefix)
  const open = yield* prefill(loaded, prompt)
  const tokens = sequence.evaluate(open, { temperature: request.temperature, seed: 1, dryRepeatPenalty: BROKEN_RECORD })
  let text = request.prefix
  let pending: Array<TokenId> = []
  let count = 0
  yield* Effect.gen(function* () {
    const most = atMost(request.maxTokens)
    while (count < most) {
      const next = yield* native(() => tokens.next())
      if (next.done === true) break
      count += 1
      pending.push(next.value)
      const piece = model.detokenize(pending, false, prompt.slice(-1))
      // A character may take several tokens; until it is whole its text ends with the replacement character.
      if (piece.endsWith("\uFFFD")) continue
      pending = []
      text += piece
      yield* Queue.offer(queue, { _tag: "Token", text: piece })
      yield* shrinkAfterSentence(loaded, lease, text)
    }
  }).pipe(Effect.ensuring(Effect.ignore(native(() => tokens.return()))))
  const finish = count >= atMost(request.maxTokens) ? "length" : "stop"
  yield* Queue.offer(queue, { _tag: "Done", model: loaded.name, finish, usage: { promptTokens: prompt.length, completionTokens: count } })
  yield* Queue.end(queue)
})

/** Leaves out the oldest exchanges until prompt and answer fit the window. */
const fit = Effect.fnUntraced(function* (loaded: Loaded, all: ReadonlyArray<Message>, maxTokens: number) {
  // A model of this size calls no tools; what they said is in the answers.
  const messages = merged(withoutTools(all))
  const system = messages.filter(({ role }) => role === "system")
  const examples = loaded.name === DEFAULT_MODEL ? EXAMPLES : []
  let talk = messages.filter(({ role }) => role !== "system")
  for (;;) {
    const shaped = [...system, ...examples, ...talk]
    const size = tokenize(loaded, shaped, "").length
    if (size + maxTokens <= loaded.sequence.contextSize) return shaped
    if (talk.length <= 1) {
      return yield* new Terminal({
        code: "input.invalid",
        message: `The question is too long for the embedded model: ${size} tokens, it reads ${loaded.sequence.contextSize - maxTokens}. Ask for less, or configure a larger model with VOXBUS_CHAT_URL.`
      })
    }
    talk = talk.slice(talk[1]?.role === "assistant" ? 2 : 1)
  }
})

/**
 * @param options.systemPrompt evaluated ahead of the first question, as most sessions use the host's prompt
 */
export const llama = Effect.fnUntraced(function* (options: { readonly systemPrompt: string }) {
  const models = yield* Models
  const cores = yield* Cores
  const want = threadsOf(cores.total)
  const loading = yield* Semaphore.make(1)
  const computing = yield* Semaphore.make(1)
  const scope = yield* Effect.scope
  let loaded: Loaded | undefined
  yield* Effect.addFinalizer(() => Effect.ignore(native(async () => loaded?.llama.dispose())))

  const loadedAs = (name: string): Effect.Effect<Loaded, Failure> =>
    Semaphore.withPermits(
      loading,
      1
    )(
      Effect.gen(function* () {
        if (loaded?.name === name) return loaded
        const { path } = yield* models.locate(name)
        const previous = loaded
        loaded = undefined
        if (previous !== undefined) yield* native(() => previous.model.dispose())
        return (loaded = yield* load(name, path("model"), want))
      })
    )

  const nameOf = (model: string) => (model === "" ? DEFAULT_MODEL : model)
  const lease = { holder: "reasoner/llama", lane: "interactive", want } as const

  const prepare = Effect.gen(function* () {
    const ready = yield* loadedAs(DEFAULT_MODEL)
    const messages = yield* fit(
      ready,
      [
        { role: "system", content: options.systemPrompt },
        { role: "user", content: "Hello." }
      ],
      1
    )
    const warm = Queue.unbounded<ReplyPart, Failure | Cause.Done>().pipe(
      Effect.flatMap((queue) =>
        cores.lease(lease, (granted) => generate(ready, { messages, maxTokens: 1, temperature: 0, model: "", prefix: "" }, granted, queue))
      )
    )
    // Ready does not wait for it: the first question does, if it comes within the next half second.
    yield* Semaphore.withPermits(computing, 1)(warm).pipe(Effect.ignore, Effect.forkIn(scope))
  })

  let ahead: Fiber.Fiber<void> | undefined
  /** Once the oldest exchange is left out the whole conversation is read anew: 0.5-2 s that nobody has to wait for. */
  const readAhead = (conversation: ReadonlyArray<Message>, options: { readonly model: string; readonly maxTokens: number }) =>
    Effect.gen(function* () {
      const ready = yield* loadedAs(nameOf(options.model))
      const tokens = tokenize(ready, yield* fit(ready, conversation, atMost(options.maxTokens)), "")
      yield* cores.lease({ holder: lease.holder, lane: "batch", want: 1 }, () =>
        Effect.suspend(() => {
          ready.llama.maxThreads = 1
          return prefill(ready, tokens, STEP_AHEAD)
        })
      )
    }).pipe(Semaphore.withPermits(computing, 1), Effect.ignore)

  const engine: Engine = {
    name: "llama-local",
    windowTokens: WINDOW,
    speculative: true,
    anticipate: (conversation, options) =>
      Effect.map(Effect.forkIn(readAhead(conversation, options), scope), (fiber) => void (ahead = fiber)),
    prepare,
    shape: (messages, { model, maxTokens }) => Effect.flatMap(loadedAs(nameOf(model)), (ready) => fit(ready, messages, atMost(maxTokens))),
    reply: (request) =>
      Stream.callback<ReplyPart, Failure>(
        (queue) =>
          Effect.suspend(() => (ahead === undefined ? Effect.void : Fiber.interrupt(ahead))).pipe(
            Effect.andThen(loadedAs(nameOf(request.model))),
            Effect.flatMap((ready) =>
              Semaphore.withPermits(computing, 1)(cores.lease(lease, (granted) => generate(ready, request, granted, queue)))
            )
          ),
        // The answer never waits for its reader while it holds cores.
        { bufferSize: WINDOW }
      )
  }
  return engine
})
