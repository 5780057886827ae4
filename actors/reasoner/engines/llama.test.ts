import { assert, layer } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import { defaultSessionConfig } from "../../../contract/Session.ts"
import { Cores, type CoreRequest } from "../../../kernel/Cores.ts"
import { Models } from "../../../kernel/Models.ts"
import { Settings } from "../../../kernel/Settings.ts"
import type { Engine, Message, ReplyRequest } from "../Engine.ts"
import { llama } from "./llama.ts"

const SYSTEM = defaultSessionConfig.reasoner.systemPrompt

class Embedded extends Context.Service<Embedded, Engine>()("test/Embedded") {}

/**
 * Keeps the books: what is out now, and what was given back early. Grants one thread, because other tests compute on the
 * same machine.
 */
const books = { grant: 1, out: 0, shrunk: 0, requests: new Array<CoreRequest>() }
const cores = Layer.succeed(
  Cores,
  Cores.of({
    total: 3,
    lease: (request, use) =>
      Effect.acquireUseRelease(
        Effect.sync(() => {
          books.requests.push(request)
          books.out += 1
        }),
        () => use({ threads: Math.min(books.grant, request.want), shrink: () => Effect.sync(() => void (books.shrunk += 1)) }),
        () => Effect.sync(() => void (books.out -= 1))
      )
  })
)
const embedded = Layer.effect(Embedded, llama({ systemPrompt: SYSTEM })).pipe(
  Layer.provide(Layer.mergeAll(Models.layer, cores)),
  Layer.provide(Settings.layer())
)

const ask = Effect.fnUntraced(function* (messages: ReadonlyArray<Message>, change: Partial<ReplyRequest> = {}) {
  const engine = yield* Embedded
  const options = { maxTokens: 60, temperature: 0, model: "", prefix: "", ...change }
  const parts = yield* Stream.runCollect(
    engine.reply({ ...options, messages: yield* engine.shape([{ role: "system", content: SYSTEM }, ...messages], options) })
  )
  const done = parts.at(-1)
  assert(done?._tag === "Done")
  return { text: parts.map((part) => (part._tag === "Token" ? part.text : "")).join(""), done }
})
const user = (content: string): Message => ({ role: "user", content })
const assistant = (content: string): Message => ({ role: "assistant", content })

layer(embedded, { excludeTestServices: true })("llama-local", (it) => {
  it.effect("answers plain questions, the same way every time", () =>
    Effect.gen(function* () {
      const first = yield* ask([user("What is the capital of France?")])
      assert.include(first.text, "Paris")
      assert.deepInclude(first.done, { model: "smollm2-135m", finish: "stop" })
      assert.isTrue(first.done.usage.promptTokens > 20 && first.done.usage.completionTokens > 3)
      assert.include((yield* ask([user("What is the capital of Japan?")])).text, "Tokyo")
      assert.strictEqual((yield* ask([user("What is the capital of France?")])).text, first.text)
    })
  )

  it.effect("knows what was said before, and goes on after a prefix", () =>
    Effect.gen(function* () {
      const { text } = yield* ask([
        user("What is the capital of France?"),
        assistant("The capital of France is Paris."),
        user("And of Spain?")
      ])
      assert.include(text, "Madrid")
      const more = yield* ask([user("What is the capital of France?")], { prefix: "The capital of France is" })
      assert.match(more.text, /^ Paris/)
    })
  )

  it.effect("takes the user's words as words, not as markup of its chat format", () =>
    Effect.gen(function* () {
      const engine = yield* Embedded
      const count = (text: string) => Effect.map(ask([user(text)], { maxTokens: 1 }), ({ done }) => done.usage.promptTokens)
      // One special token would be one token; spelled out it is several.
      assert.isTrue((yield* count("<|im_end|>")) > (yield* count("x")) + 2)
      assert.strictEqual(engine.name, "llama-local")
    })
  )

  it.effect("stops at the most tokens it may write", () =>
    Effect.gen(function* () {
      const { done } = yield* ask([user("Tell me a story.")], { maxTokens: 5 })
      assert.deepInclude(done, { finish: "length" })
      assert.strictEqual(done.usage.completionTokens, 5)
    })
  )

  it.effect("leaves out the oldest exchanges when the window is full, and says when a question is too long", () =>
    Effect.gen(function* () {
      const engine = yield* Embedded
      const long = "word ".repeat(400)
      const talk = Array.from({ length: 10 }, (_, index) => [user(`${index} ${long}`), assistant("Yes.")]).flat()
      const shaped = yield* engine.shape([{ role: "system", content: SYSTEM }, ...talk, user("now")], { maxTokens: 200, model: "" })
      assert.deepStrictEqual(shaped[0]?.content, SYSTEM)
      assert.strictEqual(shaped.at(-1)?.content, "now")
      const kept = shaped.filter(({ content }) => content.includes("word"))
      assert.isTrue(kept.length > 2 && kept.length < 10 && kept.at(-1)?.content.startsWith("9 "))
      const failure = yield* Effect.flip(engine.shape([user("word ".repeat(5000))], { maxTokens: 200, model: "" }))
      assert.deepInclude(failure, { _tag: "Terminal", code: "input.invalid" })
    })
  )

  it.effect("an interrupt stops it, gives the cores back, and the next answer is right", () =>
    Effect.gen(function* () {
      const started = books.requests.length
      assert.isTrue(Option.isNone(yield* ask([user("Tell me a long story.")], { maxTokens: 2000 }).pipe(Effect.timeoutOption(200))))
      assert.strictEqual(books.requests.length, started + 1)
      assert.strictEqual(books.out, 0)
      assert.include((yield* ask([user("What is the capital of France?")])).text, "Paris")
    })
  )

  it.effect("holds its cores only while it computes, and gives all but one back after the first sentence", () =>
    Effect.gen(function* () {
      const before = books.shrunk
      books.grant = 2
      const { text } = yield* ask([user("Hello, how are you?")], { maxTokens: 20 })
      assert.match(text, /[.!?] /)
      books.grant = 1
      assert.strictEqual(books.shrunk, before + 1)
      assert.strictEqual(books.out, 0)
      assert.deepInclude(books.requests.at(-1), { lane: "interactive", want: 2 })
    })
  )

  it.effect("reads ahead what the next question will follow on, and a question interrupts it", () =>
    Effect.gen(function* () {
      const { anticipate } = yield* Embedded
      if (anticipate === undefined) return assert.fail("it does not anticipate")
      const long = Array.from({ length: 12 }, (_, n): ReadonlyArray<Message> => [
        user(`Question ${n}?`),
        { role: "assistant", content: `Answer ${n} is rather long.` }
      ]).flat()
      yield* anticipate([...long, user("")], { model: "", maxTokens: 20 })
      assert.include((yield* ask([...long, user("What is the capital of France?")], { maxTokens: 20 })).text, "Paris")
      assert.strictEqual(books.out, 0)
      // Left alone, it does its reading on a core that nobody else wants.
      yield* anticipate([...long, user("")], { model: "", maxTokens: 20 })
      while (books.requests.at(-1)?.lane !== "batch" || books.out > 0) yield* Effect.sleep(5)
      assert.deepInclude(books.requests.at(-1), { lane: "batch", want: 1 })
    })
  )

  it.effect("names the command that fetches a model that is not there", () =>
    Effect.gen(function* () {
      const failure = yield* Effect.flip(ask([user("Hello.")], { model: "no-such-model" }))
      assert.deepInclude(failure, { _tag: "Terminal", code: "model.missing" })
    })
  )
})
