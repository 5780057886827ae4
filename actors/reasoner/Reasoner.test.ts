import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Stream from "effect/Stream"
import { createHash } from "node:crypto"
import type { Event, EventOf, EventTag, SessionEvent } from "../../contract/Events.ts"
import { defaultSessionConfig } from "../../contract/Session.ts"
import { subjectOf } from "../../contract/Subjects.ts"
import type { ActorContext, Logged } from "../../kernel/Actor.ts"
import { type Failure, Retryable, Terminal } from "../../kernel/Failure.ts"
import { Settings } from "../../kernel/Settings.ts"
import { testkit, testLayer } from "../../kernel/testkit/Testkit.ts"
import { typedText } from "../../kernel/TypedText.ts"
import type { Engine, Message, ReplyPart, ReplyRequest } from "./Engine.ts"
import { Engines } from "./Engines.ts"
import { Speculation } from "./Speculation.ts"
import { reasonerActor } from "./Reasoner.ts"
import { Toolbox } from "./Toolbox.ts"

const base = { v: 1, mode: "assistant", session: "01ARZ3NDEKTSV4RRFFQ69G5FAV", unit: 1 } as const
const asked = { ...typedText({ ...base, config: defaultSessionConfig }, 1, "What is two plus two?"), end: 16_000, language: "en" }
const drafted = (sentence: number, text: string, generation = 0): EventOf<"reply.drafted"> => ({
  _tag: "reply.drafted",
  ...base,
  sentence,
  text,
  generation,
  config: defaultSessionConfig
})

const done: ReplyPart = { _tag: "Done", model: "m", finish: "stop", usage: { promptTokens: 3, completionTokens: 5 } }
const tokens = (...texts: ReadonlyArray<string>) => Stream.fromIterable(texts.map((text): ReplyPart => ({ _tag: "Token", text })))

/** An engine that answers as told and keeps what it was asked. */
const fake = (reply: (request: ReplyRequest) => Stream.Stream<ReplyPart, Failure>) => {
  const requests: Array<ReplyRequest> = []
  const anticipated: Array<ReadonlyArray<Message>> = []
  const engine: Engine = {
    anticipate: (messages) => Effect.sync(() => void anticipated.push(messages)),
    name: "fake",
    prepare: Effect.void,
    shape: (messages) => Effect.succeed(messages),
    reply: (request) => {
      requests.push(request)
      return reply(request)
    }
  }
  return {
    requests,
    anticipated,
    layer: Layer.mergeAll(
      Layer.provideMerge(Toolbox.layer, Settings.layer()),
      Speculation.layer,
      Layer.succeed(Engines, Engines.of({ pick: () => engine }))
    )
  }
}

/** A context whose log holds `events`, which may grow. */
const contextOf = (events: ReadonlyArray<SessionEvent>, attempt = 1): ActorContext => ({
  stream: "ASSISTANT",
  sequence: 1,
  time: 0,
  attempt,
  ask: () => Effect.die(new Error("nobody is asked here")),
  everything: () => Effect.succeed([]),
  history: <T extends EventTag>(tags: ReadonlyArray<T>) =>
    Effect.sync(() =>
      events
        .filter((event): event is EventOf<T> & SessionEvent => (tags as ReadonlyArray<string>).includes(event._tag))
        .map((event): Logged<EventOf<T>> => ({
          event,
          subject: subjectOf(event),
          stream: "ASSISTANT",
          sequence: 1,
          time: 0,
          actor: "",
          cause: ""
        }))
    )
})

const texts = (events: ReadonlyArray<Event>) =>
  events.map((event) => (event._tag === "reply.drafted" ? `${event.sentence} ${event.text}` : event._tag))

describe("reasoner", () => {
  it.live("publishes each sentence, then the answer with its facts", () => {
    const { layer, requests } = fake(() => Stream.concat(tokens("Fo", "ur. It", " **is** four.", " "), Stream.make(done)))
    return Effect.gen(function* () {
      const kit = yield* testkit(reasonerActor)
      const { events } = yield* kit.send(asked)
      assert.deepStrictEqual(texts(events), ["1 Four.", "2 It is four.", "reply.ready"])
      const ready = events.at(-1)
      assert(ready?._tag === "reply.ready")
      assert.deepInclude(ready, { text: "Four. It is four.", sentences: 2, engine: "fake", model: "m", finish: "stop", generation: 0 })
      assert.deepStrictEqual(ready.usage, { promptTokens: 3, completionTokens: 5 })
      assert.deepStrictEqual(
        requests[0]?.messages.map(({ role }) => role),
        ["system", "user"]
      )
      assert.strictEqual(ready.contextSha256, createHash("sha256").update(JSON.stringify(requests[0]?.messages)).digest("hex"))
      assert.isTrue(ready.firstTokenMs >= 0 && ready.firstTokenMs <= ready.computeMs)
    }).pipe(Effect.scoped, Effect.provide(Layer.mergeAll(testLayer, layer)))
  })

  it.live("tells the engine what the next question will follow on: every turn once", () => {
    const { layer, requests, anticipated } = fake(() => Stream.concat(tokens("Four."), Stream.make(done)))
    return Effect.gen(function* () {
      const kit = yield* testkit(reasonerActor)
      yield* kit.send(asked)
      assert.deepStrictEqual(anticipated, [
        [...(requests[0]?.messages ?? []), { role: "assistant", content: "Four." }, { role: "user", content: "" }]
      ])
    }).pipe(Effect.scoped, Effect.provide(Layer.mergeAll(testLayer, layer)))
  })

  it.live("after a broken try: keeps what was published, goes on after it", () => {
    let calls = 0
    const broken = Stream.fail(new Retryable({ code: "provider.unavailable", message: "broke off", delayMs: 1 }))
    const { layer, requests } = fake(() =>
      calls++ === 0 ? Stream.concat(tokens("One. Two", " and ha"), broken) : Stream.concat(tokens(" Two and a half."), Stream.make(done))
    )
    return Effect.gen(function* () {
      const kit = yield* testkit(reasonerActor)
      const { events } = yield* kit.send(asked)
      assert.deepStrictEqual(texts(events), ["1 One.", "2 Two and a half.", "reply.ready"])
      assert.deepStrictEqual(
        requests.map(({ prefix }) => prefix),
        ["", "One."]
      )
      assert.deepInclude(events.at(-1), { text: "One. Two and a half.", sentences: 2 })
    }).pipe(Effect.scoped, Effect.provide(Layer.mergeAll(testLayer, layer)))
  })

  it.live("a failure that cannot pass ends in the dead letters with its reason", () => {
    const { layer } = fake(() => Stream.fail(new Terminal({ code: "provider.auth", message: "key" })))
    return Effect.gen(function* () {
      const kit = yield* testkit(reasonerActor)
      const outcome = yield* kit.send(asked)
      assert.deepStrictEqual(outcome.events, [])
      assert.deepInclude(outcome.dead, { code: "provider.auth", attempts: 1 })
    }).pipe(Effect.scoped, Effect.provide(Layer.mergeAll(testLayer, layer)))
  })

  it.effect("a redelivery repeats the published sentences first, in their generation", () => {
    const { layer } = fake(() => Stream.concat(tokens(" Three."), Stream.make(done)))
    return Effect.gen(function* () {
      const published = [drafted(2, "Two.", 4), drafted(1, "One.", 4)]
      const events = yield* Stream.runCollect(reasonerActor.handle(asked, contextOf([asked, ...published], 2)))
      assert.deepStrictEqual(texts(events), ["1 One.", "2 Two.", "3 Three.", "reply.ready"])
      assert.isTrue(events.every((event) => "generation" in event && event.generation === 4))
    }).pipe(Effect.provide(Layer.merge(testLayer, layer)))
  })

  it.effect("a redelivery of a finished turn asks no model", () => {
    const { layer, requests } = fake(() => Stream.make(done))
    return Effect.gen(function* () {
      const first = yield* Stream.runCollect(reasonerActor.handle(asked, contextOf([asked])))
      const again = yield* Stream.runCollect(
        reasonerActor.handle(asked, contextOf([asked, ...first.filter((event) => "session" in event)], 2))
      )
      assert.deepStrictEqual(again, first)
      assert.strictEqual(requests.length, 1)
    }).pipe(Effect.provide(Layer.merge(testLayer, layer)))
  })

  it.live("a cancelled turn stops at once with what it has", () => {
    let stopped = false
    const stuck = Stream.fromEffect(Effect.never.pipe(Effect.onInterrupt(() => Effect.sync(() => void (stopped = true)))))
    const { layer } = fake(() => Stream.concat(tokens("One. Two", " an"), stuck))
    return Effect.gen(function* () {
      const log: Array<SessionEvent> = [asked]
      const fiber = yield* Effect.forkChild(Stream.runCollect(reasonerActor.handle(asked, contextOf(log))))
      yield* Effect.sleep(50)
      log.push({ _tag: "turn.cancelled", ...base, generation: 0, reason: "barge_in" })
      const events = yield* Fiber.join(fiber)
      assert.strictEqual(events[0]?._tag === "reply.drafted" && events[0].text, "One.")
      assert.deepInclude(events.at(-1), { _tag: "reply.ready", finish: "cancelled" })
      assert.isTrue(stopped)
    }).pipe(Effect.provide(Layer.merge(testLayer, layer)))
  })

  it.effect("the turn after a cancelled one is a new generation", () => {
    const { layer } = fake(() => Stream.concat(tokens("Yes."), Stream.make(done)))
    return Effect.gen(function* () {
      const log: ReadonlyArray<SessionEvent> = [{ _tag: "turn.cancelled", ...base, generation: 2, reason: "user" }]
      const events = yield* Stream.runCollect(reasonerActor.handle({ ...asked, unit: 2 }, contextOf(log)))
      assert.isTrue(events.length === 2 && events.every((event) => "generation" in event && event.generation === 3))
    }).pipe(Effect.provide(Layer.merge(testLayer, layer)))
  })
})
