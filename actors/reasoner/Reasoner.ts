/**
 * The reasoner: what the user said becomes an answer, sentence by sentence as the model writes it.
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
import type { ActorContext } from "../../kernel/Actor.ts"
import type { Failure } from "../../kernel/Failure.ts"
import { CONVERSATION, type ConversationEvent, messages } from "./Conversation.ts"
import type { Done, ReplyRequest } from "./Engine.ts"
import { Engines } from "./Engines.ts"
import { sentences } from "./SentenceStream.ts"

type Asked = EventOf<"text.transcribed">
type Drafted = EventOf<"reply.drafted">

/** How often a running answer looks whether its turn was cancelled. The player stops by itself; this saves the cores. */
const CANCEL_POLL = "150 millis"

/** What is known of a turn before the model is asked. */
interface Turn {
  readonly asked: Asked
  readonly past: ReadonlyArray<ConversationEvent>
  /** Sentences an earlier try published. */
  readonly published: ReadonlyArray<Drafted>
  readonly generation: number
}

/** Every cancelled turn makes the next answer a new generation; a repeated try stays in its own. */
const turnOf = (asked: Asked, past: ReadonlyArray<ConversationEvent>): Turn => {
  const published = past
    .filter((event) => event._tag === "reply.drafted")
    .filter((event) => event.unit === asked.unit)
    .toSorted((a, b) => a.sentence - b.sentence)
  const cancelled = past.filter((event) => event._tag === "turn.cancelled").filter((event) => event.unit < asked.unit)
  const next = Math.max(0, ...cancelled.map(({ generation }) => generation + 1))
  return { asked, past, published, generation: published[0]?.generation ?? next }
}

/** What one try learns while it runs. */
interface Progress {
  readonly startedAt: number
  readonly said: Array<string>
  firstTokenAt?: number
  done?: Done
}

const isCancelled = (asked: Asked, context: ActorContext) =>
  Effect.map(context.history(["turn.cancelled"]), (events) => events.some(({ event }) => event.unit === asked.unit))

/** Ends when the turn is cancelled. */
const cancellation = (asked: Asked, context: ActorContext) =>
  isCancelled(asked, context).pipe(Effect.repeat({ until: (cancelled) => cancelled, schedule: Schedule.spaced(CANCEL_POLL) }))

const draft = ({ asked, generation }: Turn, sentence: number, text: string): Drafted => ({
  _tag: "reply.drafted",
  v: 1,
  mode: asked.mode,
  session: asked.session,
  unit: asked.unit,
  sentence,
  text,
  generation,
  config: asked.config
})

const ready = ({ asked, generation }: Turn, engine: string, request: ReplyRequest, progress: Progress): EventOf<"reply.ready"> => {
  const now = performance.now()
  const { done, said, startedAt, firstTokenAt } = progress
  return {
    _tag: "reply.ready",
    v: 1,
    mode: asked.mode,
    session: asked.session,
    unit: asked.unit,
    text: said.join(" "),
    sentences: said.length,
    engine,
    model: done?.model ?? request.model,
    contextSha256: createHash("sha256").update(JSON.stringify(request.messages)).digest("hex"),
    usage: done?.usage ?? { promptTokens: 0, completionTokens: 0 },
    firstTokenMs: (firstTokenAt ?? now) - startedAt,
    computeMs: now - startedAt,
    finish: done?.finish ?? "cancelled",
    generation
  }
}

const answer = Effect.fnUntraced(function* (asked: Asked, context: ActorContext) {
  const engines = yield* Engines
  const startedAt = performance.now()
  const past = yield* context.history(CONVERSATION)
  const turn = turnOf(
    asked,
    past.map(({ event }) => event)
  )
  const ending = turn.past.find((event) => event._tag === "reply.ready" && event.unit === asked.unit)
  if (ending !== undefined) return Stream.fromIterable<Event>([...turn.published, ending])
  const options = asked.config.reasoner
  const engine = engines.pick(options.engine)
  const conversation = messages(turn.past, {
    unit: asked.unit,
    question: asked.text,
    systemPrompt: options.systemPrompt,
    exchanges: options.historyExchanges
  })
  const request: ReplyRequest = {
    messages: yield* engine.shape(conversation, options),
    maxTokens: options.maxTokens,
    temperature: options.temperature,
    model: options.model,
    prefix: turn.published.map(({ text }) => text).join(" ")
  }
  const progress: Progress = { startedAt, said: turn.published.map(({ text }) => text) }
  const tokens = engine.reply(request).pipe(
    Stream.map((part) => {
      progress.firstTokenAt ??= performance.now()
      if (part._tag === "Done") progress.done = part
      return part._tag === "Done" ? "" : part.text
    })
  )
  const cancelled = turn.past.some((event) => event._tag === "turn.cancelled" && event.unit === asked.unit)
  const drafted = sentences(tokens, { continues: turn.published.length > 0 }).pipe(
    Stream.map((text) => draft(turn, progress.said.push(text), text)),
    Stream.interruptWhen(cancellation(asked, context))
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
  return Stream.fromIterable<Event>(turn.published).pipe(
    Stream.concat(cancelled ? Stream.empty : drafted),
    Stream.concat(Stream.sync(() => ready(turn, engine.name, request, progress)).pipe(Stream.tap(anticipate)))
  )
})

export const reasonerActor: Actor.Actor<Engines> = Actor.make<Engines>({
  name: "reasoner",
  logicVersion: 1,
  // Of a rejected utterance there is nothing to answer; the gateway tells the user.
  consumes: [{ mode: "assistant", tags: ["text.transcribed"], concurrency: 1 }],
  publishes: ["reply.drafted", "reply.ready"],
  // Without a model questions still arrive: each fails with a message that says what to do, and works once it is there.
  prepare: Effect.flatMap(Engines, (engines) => engines.pick("auto").prepare).pipe(
    Effect.catch((failure) =>
      Effect.logWarning("no language model yet").pipe(Effect.annotateLogs({ code: failure.code, reason: failure.message }))
    )
  ),
  handle: (event, context): Stream.Stream<Event, Failure, Engines> =>
    event._tag === "text.transcribed" ? Stream.unwrap(answer(event, context)) : Stream.empty
})
