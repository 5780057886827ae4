/**
 * `/ws`: one connection from the handshake to the end. Messages are handled one after the other, so frames stay in order;
 * whatever is wrong with one is answered with an `error`, and the socket stays open.
 */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as HttpRouter from "effect/http/HttpRouter"
import * as HttpServerRequest from "effect/http/HttpServerRequest"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Option from "effect/Option"
import * as NodeHttpServerRequest from "@effect/platform-node/NodeHttpServerRequest"
import type { Bytes } from "../kernel/Bus.ts"
import { type Failure, Terminal } from "../kernel/Failure.ts"
import { Settings } from "../kernel/Settings.ts"
import { demand } from "./Access.ts"
import { type Feed, makeFeed } from "./calls/Feed.ts"
import { type Capture, makeCapture } from "./Capture.ts"
import { type Conversation, type ConversationOptions, makeConversation } from "./Conversation.ts"
import { clientOf, hold } from "./limits/Usage.ts"
import { makeOutbox, type Outbox } from "./Outbox.ts"
import { parse } from "./Parse.ts"
import { type ClientMessage, type ClientMessageOf, MAX_MESSAGE_BYTES, problem } from "./Protocol.ts"
import { makeHourly } from "./RateLimit.ts"
import { answered } from "./Rest.ts"
import { makeSubscription } from "./Subscription.ts"
import { VERSION } from "./Version.ts"

/** Milliseconds of silence after which the system asks whether the other side is still there. */
const KEEP_ALIVE_MS = 30_000

type Subscription = Effect.Success<ReturnType<typeof makeSubscription>>

/** Events of subjects, messages on topics, or both; what is not named stays as it is. */
const subscribe = (message: ClientMessageOf<"subscribe">, subscription: Subscription, feed: Feed): Effect.Effect<void, Failure> => {
  const { subjects, topics, session, from } = message
  if (subjects === undefined && topics === undefined)
    return Effect.fail(new Terminal({ code: "input.invalid", message: '"subscribe" wants "subjects" or "topics".' }))
  const first = from?.stream === "CALLS" ? { from: from.sequence } : {}
  return Effect.andThen(
    subjects === undefined ? Effect.void : subscription.subscribe(message),
    topics === undefined ? Effect.void : feed.subscribe({ topics, ...(session === undefined ? {} : { session }), ...first })
  )
}

const dispatch = (
  message: ClientMessage,
  outbox: Outbox,
  conversation: Conversation,
  capture: Capture,
  subscription: Subscription,
  feed: Feed
): Effect.Effect<void, Failure> => {
  switch (message.type) {
    case "hello":
      return conversation.hello(message)
    case "subscribe":
      return subscribe(message, subscription, feed)
    case "utterance.start":
      return Effect.andThen(capture.letGo, conversation.start(message))
    case "utterance.end":
      return Effect.withSpan(conversation.end, "gateway utterance", { root: true })
    case "utterance.cancel":
      return conversation.discard
    case "listen":
      return conversation.listen(message)
    case "listen.end":
      return conversation.deafen
    case "stop":
      return conversation.stop
    case "ask":
      return Effect.withSpan(conversation.ask(message), "gateway ask", { root: true })
    case "played":
      return conversation.played(message)
    case "cancel":
      return conversation.cancel(message)
    case "record.start":
      return capture.start(message)
    case "record.join":
      return capture.join(message)
    case "record.do":
      return capture.act(message)
    case "ping":
      return outbox.send({ type: "pong" })
  }
}

/** Answers a failure of any kind; only an interrupt passes. */
const answeredOn = (outbox: Outbox) => (work: Effect.Effect<void, Failure>) =>
  work.pipe(
    Effect.catchCause((cause) => {
      if (Cause.hasInterruptsOnly(cause)) return Effect.failCause(cause as Cause.Cause<never>)
      const failure = Option.getOrUndefined(Cause.findErrorOption(cause))
      if (failure !== undefined) return outbox.send(problem(failure.code, failure.message))
      return Effect.andThen(
        Effect.logError("a message of a client could not be handled", cause),
        outbox.send(problem("internal", "The message could not be handled because of a fault in Voxbus."))
      )
    })
  )

const serve = Effect.fnUntraced(function* (request: HttpServerRequest.HttpServerRequest, options: ConversationOptions, who: string) {
  const socket = yield* request.upgrade
  const reader = yield* socket.reader
  const connection = NodeHttpServerRequest.toIncomingMessage(request).socket
  // A peer that vanished without a word is noticed after a while without an answer.
  connection.setKeepAlive(true, KEEP_ALIVE_MS)
  const outbox = makeOutbox(yield* socket.writer, () => connection.writableLength)
  const subscription = yield* makeSubscription(outbox)
  const feed = yield* makeFeed(outbox)
  const conversation = yield* makeConversation(outbox, options)
  const capture = yield* makeCapture(outbox, who)
  const receive = (message: string | Bytes): Effect.Effect<void, Failure> => {
    const size = typeof message === "string" ? Buffer.byteLength(message) : message.length
    if (size > MAX_MESSAGE_BYTES) {
      return Effect.fail(
        new Terminal({
          code: "input.invalid",
          message: `A message of ${size} bytes is too large; at most ${MAX_MESSAGE_BYTES} are taken. Send audio in frames of 20 to 250 ms.`
        })
      )
    }
    return typeof message === "string"
      ? Effect.flatMap(parse(message), (parsed) => dispatch(parsed, outbox, conversation, capture, subscription, feed))
      : capture.takesAudio()
        ? capture.frame(message)
        : conversation.frame(message)
  }
  yield* outbox.send({ type: "ready", version: VERSION })
  yield* reader.pull.pipe(
    Effect.flatMap((messages) => Effect.forEach(messages, (message) => answeredOn(outbox)(receive(message)), { discard: true })),
    Effect.forever,
    // The client is gone, which is how every connection ends.
    Effect.catch(() => Effect.void)
  )
})

/** Who may have a socket, and one of those that the client may hold; given back with the scope. */
const admitted = Effect.fnUntraced(function* (request: HttpServerRequest.HttpServerRequest) {
  const caller = yield* demand("write")
  const { socketsPerClient: most } = (yield* Settings.current).gateway.limits
  yield* hold("sockets", yield* clientOf(request), most, `${most} sockets are open already; close one.`)
  return caller
})

/** The route; `options.patienceMs` is how long a turn may be silent. */
export const webSocketRoute = (options: ConversationOptions) =>
  HttpRouter.use((router) =>
    Effect.gen(function* () {
      const services = yield* Effect.context<Effect.Services<ReturnType<typeof serve>>>()
      const { conversationsPerHour } = (yield* Settings).gateway.limits
      const conversations = makeHourly(conversationsPerHour, "conversations")
      yield* router.add("GET", "/ws", (request) =>
        request.headers["upgrade"]?.toLowerCase() === "websocket"
          ? Effect.gen(function* () {
              const allowed = yield* Effect.result(admitted(request))
              if (allowed._tag === "Failure") return yield* answered(Effect.fail(allowed.failure))
              const mayOpen = conversations.count(yield* clientOf(request))
              yield* serve(request, { ...options, mayOpen }, allowed.success.name)
              return HttpServerResponse.empty()
            }).pipe(Effect.scoped, Effect.provide(services))
          : Effect.succeed(HttpServerResponse.text("This address speaks WebSocket.", { status: 426, headers: { upgrade: "websocket" } }))
      )
    })
  )
