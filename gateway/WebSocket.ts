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
import { type Conversation, type ConversationOptions, makeConversation } from "./Conversation.ts"
import { makeOutbox, type Outbox } from "./Outbox.ts"
import { parse } from "./Parse.ts"
import { type ClientMessage, MAX_MESSAGE_BYTES, problem } from "./Protocol.ts"
import { makeSubscription } from "./Subscription.ts"
import { VERSION } from "./Version.ts"

type Subscription = Effect.Success<ReturnType<typeof makeSubscription>>

const dispatch = (
  message: ClientMessage,
  outbox: Outbox,
  conversation: Conversation,
  subscription: Subscription
): Effect.Effect<void, Failure> => {
  switch (message.type) {
    case "hello":
      return conversation.hello(message)
    case "subscribe":
      return subscription.subscribe(message)
    case "utterance.start":
      return conversation.start(message)
    case "utterance.end":
      return Effect.withSpan(conversation.end, "gateway utterance", { root: true })
    case "utterance.cancel":
      return conversation.discard
    case "ask":
      return Effect.withSpan(conversation.ask(message), "gateway ask", { root: true })
    case "played":
      return conversation.played(message)
    case "cancel":
      return conversation.cancel(message)
    case "ping":
      return outbox.send({ type: "pong" })
  }
}

/** Answers a failure of any kind; only an interrupt passes. */
const answered = (outbox: Outbox) => (work: Effect.Effect<void, Failure>) =>
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

const serve = Effect.fnUntraced(function* (request: HttpServerRequest.HttpServerRequest, options: ConversationOptions) {
  const socket = yield* request.upgrade
  const reader = yield* socket.reader
  const connection = NodeHttpServerRequest.toIncomingMessage(request).socket
  const outbox = makeOutbox(yield* socket.writer, () => connection.writableLength)
  const subscription = yield* makeSubscription(outbox)
  const conversation = yield* makeConversation(outbox, options)
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
      ? Effect.flatMap(parse(message), (parsed) => dispatch(parsed, outbox, conversation, subscription))
      : conversation.frame(message)
  }
  yield* outbox.send({ type: "ready", version: VERSION })
  yield* reader.pull.pipe(
    Effect.flatMap((messages) => Effect.forEach(messages, (message) => answered(outbox)(receive(message)), { discard: true })),
    Effect.forever,
    // The client is gone, which is how every connection ends.
    Effect.catch(() => Effect.void)
  )
})

/** The route; `options.patienceMs` is how long a turn may be silent. */
export const webSocketRoute = (options: ConversationOptions) =>
  HttpRouter.add("GET", "/ws", (request) =>
    request.headers["upgrade"]?.toLowerCase() === "websocket"
      ? Effect.as(Effect.scoped(serve(request, options)), HttpServerResponse.empty())
      : Effect.succeed(HttpServerResponse.text("This address speaks WebSocket.", { status: 426, headers: { upgrade: "websocket" } }))
  )
