/**
 * The reasoner: what the user said becomes an answer, sentence by sentence as the model writes it.
 *
 * A model may ask for tools in place of an answer, or after part of it: `Calls.ts` has them done and the model goes on.
 *
 * After a crash the sentences that are published already are repeated as they are (so that outputs keep their numbers,
 * and the log keeps them once) and the model goes on after them. A cancelled turn ends at once, with what it has.
 */
import * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"
import * as Stream from "effect/Stream"
import { createHash } from "node:crypto"
import type { Event, EventOf } from "../../contract/Events.ts"
import * as Actor from "../../kernel/Actor.ts"
import type { ActorContext, Logged } from "../../kernel/Actor.ts"
import type { Blobs } from "../../kernel/Blobs.ts"
import type { Failure } from "../../kernel/Failure.ts"
import { Settings } from "../../kernel/Settings.ts"
import { finish, perform } from "./Calls.ts"
import { CONVERSATION, type ConversationEvent, messages, toolMessages } from "./Conversation.ts"
import type { Done, Message, ReplyRequest } from "./Engine.ts"
import { Engines } from "./Engines.ts"
import { languageOf, promptIn } from "./Language.ts"
import { sentences } from "./SentenceStream.ts"
import { Speculation } from "./Speculation.ts"
import { summary } from "./Summary.ts"
import { Toolbox } from "./Toolbox.ts"
import { ASKS } from "./tools/registry.ts"

type Asked = EventOf<"text.transcribed">
type Partial = EventOf<"text.partial">
type Drafted = EventOf<"reply.drafted">

/** How often a running answer looks whether its turn was cancelled. The player stops by itself; this saves the cores. */
const CANCEL_POLL = "150 millis"

/** How often the model may ask for tools in one turn; then it has to answer without. */
const ROUNDS = 5

/** What a turn publishes before its answer is whole. */
type Published = EventOf<"reply.drafted" | "tool.called" | "tool.finished">
const isPublished = (event: ConversationEvent): event is Published =>
  event._tag === "reply.drafted" || event._tag === "tool.called" || event._tag === "tool.finished"

/** What is known of a turn before the model is asked. */
interface Turn {
  readonly asked: Asked
  readonly past: ReadonlyArray<ConversationEvent>
  /** Sentences, calls and results that an earlier try published, in its order. */
  readonly published: ReadonlyArray<Published>
  readonly generation: number
}

const sentenceOf = (event: ConversationEvent): number => (event._tag === "reply.drafted" ? event.sentence : 0)

/** Every cancelled turn makes the next answer a new generation; a repeated try stays in its own. */
const turnOf = (asked: Asked, log: ReadonlyArray<Logged<ConversationEvent>>): Turn => {
  const past = log.map(({ event }) => event)
  const published = log
    .toSorted((a, b) => a.sequence - b.sequence || sentenceOf(a.event) - sentenceOf(b.event))
    .map(({ event }) => event)
    .filter(isPublished)
    .filter((event) => event.unit === asked.unit)
  const cancelled = past.filter((event) => event._tag === "turn.cancelled").filter((event) => event.unit < asked.unit)
  const next = Math.max(0, ...cancelled.map(({ generation }) => generation + 1))
  return { asked, past, published, generation: published[0]?.generation ?? next }
}

/** What one try learns while it runs. */
interface Progress {
  readonly startedAt: number
  readonly said: Array<string>
  firstTokenAt?: number
  /** The model had begun before the question was final. */
  aheadMs?: number
  done?: Done
}

const isCancelled = (asked: Asked, context: ActorContext) =>
  Effect.map(context.history(["turn.cancelled"]), (events) => events.some(({ event }) => event.unit === asked.unit))

/** Ends when the turn is cancelled. */
const cancellation = (asked: Asked, context: ActorContext) =>
  isCancelled(asked, context).pipe(Effect.repeat({ until: (cancelled) => cancelled, schedule: Schedule.spaced(CANCEL_POLL) }))

const draft = ({ asked, generation }: Turn, sentence: number, text: string): Drafted => {
  const language = languageOf(asked)
  return {
    _tag: "reply.drafted",
    v: 1,
    mode: asked.mode,
    session: asked.session,
    unit: asked.unit,
    sentence,
    text,
    generation,
    ...(language === undefined ? {} : { language }),
    config: asked.config
  }
}

/** Tokens of all answers of the model that the turn took. */
const withUsage = (done: Done, before: Done | undefined): Done => ({
  ...done,
  usage: {
    promptTokens: done.usage.promptTokens + (before?.usage.promptTokens ?? 0),
    completionTokens: done.usage.completionTokens + (before?.usage.completionTokens ?? 0)
  }
})

const ready = ({ asked, generation }: Turn, engine: string, request: ReplyRequest, progress: Progress): EventOf<"reply.ready"> => {
  const now = performance.now()
  const { done, said, startedAt, firstTokenAt, aheadMs } = progress
  return {
    _tag: "reply.ready",
    v: 1,
    mode: asked.mode,
    session: asked.session,
    unit: asked.unit,
    text: said.join(" "),
    sentences: said.length,
    engine: done?.engine ?? engine,
    model: done?.model ?? request.model,
    contextSha256: createHash("sha256")
      .update(JSON.stringify(done?.messages ?? request.messages))
      .digest("hex"),
    usage: done?.usage ?? { promptTokens: 0, completionTokens: 0 },
    firstTokenMs: (firstTokenAt ?? now) - startedAt,
    computeMs: now - startedAt,
    ...(aheadMs === undefined ? {} : { aheadMs }),
    finish: done?.finish ?? "cancelled",
    generation
  }
}

/** Sentences published after the last result: the model goes on after them. */
const prefixOf = (published: ReadonlyArray<Published>): ReadonlyArray<string> =>
  published
    .slice(published.findLastIndex(({ _tag }) => _tag !== "reply.drafted") + 1)
    .flatMap((event) => ("text" in event ? [event.text] : []))

const answer = Effect.fnUntraced(function* (asked: Asked, context: ActorContext) {
  const engines = yield* Engines
  const speculation = yield* Speculation
  const startedAt = performance.now()
  const turn = turnOf(asked, yield* context.history(CONVERSATION))
  const { published, generation } = turn
  const ending = turn.past.find((event) => event._tag === "reply.ready" && event.unit === asked.unit)
  if (ending !== undefined) return Stream.fromIterable<Event>([...published, ending])
  const options = asked.config.reasoner
  const engine = engines.pick(options.engine)
  const tools = yield* (yield* Toolbox).tools(options)
  const conversation = messages(turn.past, {
    unit: asked.unit,
    question: asked.text,
    systemPrompt: promptIn(options.systemPrompt, languageOf(asked)),
    exchanges: options.historyExchanges
  })
  const request: ReplyRequest = {
    messages: yield* engine.shape(conversation, options),
    maxTokens: options.maxTokens,
    temperature: options.temperature,
    model: options.model,
    prefix: "",
    ...(tools.length === 0 ? {} : { tools: tools.map(({ name, description, parameters }) => ({ name, description, parameters })) })
  }
  const said = published.flatMap((event) => (event._tag === "reply.drafted" ? [event.text] : []))
  const progress: Progress = { startedAt, said: [...said] }
  const called = published.filter((event) => event._tag === "tool.called")
  let calls = called.length

  /** One answer of the model, what it wants done, and what it says to that. */
  const round = (number: number, extra: ReadonlyArray<Message>, prefix: ReadonlyArray<string>): Stream.Stream<Event, Failure> =>
    Stream.suspend(() => {
      const { tools: offered, ...rest } = request
      const wanted: ReplyRequest = { ...rest, messages: [...rest.messages, ...extra], prefix: prefix.join(" ") }
      const first = progress.said.length
      let done: Done | undefined
      const begun = speculation.take(engine, offered === undefined || number > ROUNDS ? wanted : { ...wanted, tools: offered })
      const tokens = Stream.unwrap(
        Effect.map(begun, ({ parts, aheadMs }) => {
          if (aheadMs > 0) progress.aheadMs = aheadMs
          return parts
        })
      ).pipe(
        Stream.map((part) => {
          progress.firstTokenAt ??= performance.now()
          if (part._tag === "Done") progress.done = done = withUsage({ messages: wanted.messages, ...part }, progress.done)
          return part._tag === "Done" ? "" : part.text
        })
      )
      const drafted = sentences(tokens, { continues: progress.said.length > 0 }).pipe(
        Stream.map((text) => draft(turn, progress.said.push(text), text)),
        Stream.interruptWhen(cancellation(asked, context))
      )
      const after = Effect.gen(function* () {
        const asks = done?.calls ?? []
        if (asks.length === 0 || number > ROUNDS || (yield* isCancelled(asked, context))) return Stream.empty
        const results: Array<Message> = []
        const base = { v: 1, mode: asked.mode, session: asked.session, unit: asked.unit, generation } as const
        const made = perform({ base, calls: asks, round: number, before: calls }, tools, context, results)
        calls += asks.length
        const text = [...prefix, ...progress.said.slice(first)].join(" ")
        const next = Effect.map(isCancelled(asked, context), (cancelled) =>
          cancelled ? Stream.empty : round(number + 1, [...extra, { role: "assistant", content: text, toolCalls: asks }, ...results], [])
        )
        return Stream.concat(made, Stream.unwrap(next))
      })
      return Stream.concat(drafted, Stream.unwrap(after))
    })

  const cancelled = turn.past.some((event) => event._tag === "turn.cancelled" && event.unit === asked.unit)
  // Calls that an earlier try made and did not live to finish.
  const finished = new Set(published.flatMap((event) => (event._tag === "tool.finished" ? [event.call] : [])))
  const resumed: Array<EventOf<"tool.finished">> = []
  const rest = Stream.fromIterable(called.filter(({ call }) => !finished.has(call))).pipe(
    Stream.mapEffect((call) => finish(call, tools, context, true)),
    Stream.tap((event) => Effect.sync(() => void resumed.push(event)))
  )
  const next = Stream.suspend(() =>
    round(
      Math.max(0, ...called.map((event) => event.round)) + 1,
      toolMessages([...published, ...resumed]),
      resumed.length > 0 ? [] : prefixOf(published)
    )
  )
  const anticipate = (answered: EventOf<"reply.ready">) =>
    engine.anticipate?.(
      messages([...turn.past, answered], {
        unit: asked.unit + 1,
        question: "",
        systemPrompt: options.systemPrompt,
        exchanges: options.historyExchanges
      }),
      options
    ) ?? Effect.void
  return Stream.fromIterable<Event>(published).pipe(
    Stream.concat(rest),
    Stream.concat(cancelled ? Stream.empty : next),
    Stream.concat(Stream.sync(() => ready(turn, engine.name, request, progress)).pipe(Stream.tap(anticipate)))
  )
})

/** Begins the answer to what was said up to a long pause; it is used if nothing more is said. */
const speculate = Effect.fnUntraced(
  function* (partial: Partial, context: ActorContext) {
    const options = partial.config?.reasoner
    // In a short pause the speaker goes on, and the cores are wanted for what is said then.
    if (options === undefined || partial.likely !== true || partial.text === "") return
    const engine = (yield* Engines).pick(options.engine)
    if (engine.speculative !== true) return
    const past = (yield* context.history(CONVERSATION)).map(({ event }) => event)
    if (past.some((event) => event._tag === "text.transcribed" && event.unit >= partial.unit)) return
    const conversation = messages(past, {
      unit: partial.unit,
      question: partial.text,
      systemPrompt: promptIn(options.systemPrompt, languageOf({ language: partial.language ?? "en", languageProbability: 1, engine: "" })),
      exchanges: options.historyExchanges
    })
    const { maxTokens, temperature, model } = options
    const tools = yield* (yield* Toolbox).tools(options)
    yield* (yield* Speculation).begin(engine, {
      messages: yield* engine.shape(conversation, options),
      maxTokens,
      temperature,
      model,
      prefix: "",
      ...(tools.length === 0 ? {} : { tools: tools.map(({ name, description, parameters }) => ({ name, description, parameters })) })
    })
  },
  Effect.catch((failure: Failure) => Effect.logDebug("no speculation").pipe(Effect.annotateLogs({ reason: failure.message })))
)

export const reasonerActor: Actor.Actor<Engines | Speculation | Toolbox | Settings | Blobs> = Actor.make<
  Engines | Speculation | Toolbox | Settings | Blobs
>({
  name: "reasoner",
  logicVersion: 1,
  // Of a rejected utterance there is nothing to answer; the gateway tells the user.
  consumes: [
    { mode: "assistant", tags: ["text.transcribed", "text.partial"], concurrency: 1 },
    // After a call: a lane of its own, so that no turn waits in line behind a summary.
    { mode: "call", tags: ["transcript.completed", "reply.requested"], concurrency: 1 }
  ],
  publishes: ["reply.drafted", "reply.ready", "tool.called", "tool.finished"],
  asks: ASKS,
  // Without a model questions still arrive: each fails with a message that says what to do, and works once it is there.
  prepare: Effect.gen(function* () {
    const engines = yield* Engines
    yield* engines.pick((yield* Settings).session.reasoner.engine).prepare
  }).pipe(
    Effect.catch((failure) =>
      Effect.logWarning("no language model yet").pipe(Effect.annotateLogs({ code: failure.code, reason: failure.message }))
    )
  ),
  handle: (event, context): Stream.Stream<Event, Failure, Engines | Speculation | Toolbox | Blobs> => {
    if (event._tag === "text.partial") return Stream.fromEffectDrain(speculate(event, context))
    if (event._tag === "text.transcribed") return event.config.until === "text" ? Stream.empty : Stream.unwrap(answer(event, context))
    if (event._tag !== "transcript.completed" && event._tag !== "reply.requested") return Stream.empty
    return Stream.unwrap(Effect.map(summary(event, context), Stream.fromIterable))
  }
})
