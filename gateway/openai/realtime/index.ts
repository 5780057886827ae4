/**
 * `/v1/realtime`: a spoken conversation over one WebSocket, as OpenAI's Realtime API has it. Events are handled one after the
 * other; whatever is wrong with one is answered with an `error`, and the socket stays open.
 */
import * as NodeHttpServerRequest from "@effect/platform-node/NodeHttpServerRequest"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import type * as HttpServerRequest from "effect/http/HttpServerRequest"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Option from "effect/Option"
import { ulid } from "ulid"
import { Recorder } from "../../../actors/capture/index.ts"
import { Vad } from "../../../actors/normalizer/index.ts"
import { Blobs } from "../../../kernel/Blobs.ts"
import { type Failure, Terminal } from "../../../kernel/Failure.ts"
import { Settings } from "../../../kernel/Settings.ts"
import { demand } from "../../Access.ts"
import { clientOf, hold } from "../../limits/Usage.ts"
import { makeOutbox } from "../../Outbox.ts"
import { makeHourly } from "../../RateLimit.ts"
import { CONFIGURED } from "../Models.ts"
import { makePrivate } from "../Private.ts"
import { openAiBody } from "../Problem.ts"
import { makeVoiceFor } from "../Speech.ts"
import { makeRealtime } from "./Conversation.ts"
import { eventIdOf, parse, type ServerEvent } from "./Protocol.ts"

const UPGRADE = new Terminal({ code: "input.invalid", message: "This address speaks WebSocket." })

/** Handles the upgrade of a connection, until it ends. */
export const makeRealtimeEndpoint = Effect.gen(function* () {
  const settings = yield* Settings
  const services = yield* Effect.context<Recorder | Blobs | Vad>()
  const open = yield* makePrivate
  const voiceFor = yield* makeVoiceFor
  const conversations = makeHourly(settings.gateway.limits.conversationsPerHour, "conversations")

  return Effect.fnUntraced(function* (request: HttpServerRequest.HttpServerRequest) {
    yield* demand("write")
    if (request.headers["upgrade"]?.toLowerCase() !== "websocket") return yield* UPGRADE
    const { socketsPerClient } = (yield* settings.reload).gateway.limits
    const client = yield* clientOf(request)
    yield* hold("sockets", client, socketsPerClient, `${socketsPerClient} sockets are open already; close one.`)
    yield* conversations.count(client)
    const query = new URL(request.url, "http://localhost").searchParams
    const kind = query.get("intent") === "transcription" ? "transcription" : "realtime"
    const { session: base } = yield* settings.reload
    // Nothing is left running when the socket goes: the last answer is cancelled with it.
    const errand = yield* open("Realtime", { ...base, until: "text" }, 999_999)
    const socket = yield* request.upgrade.pipe(Effect.mapError(() => UPGRADE))
    const reader = yield* socket.reader.pipe(Effect.mapError(() => UPGRADE))
    const connection = NodeHttpServerRequest.toIncomingMessage(request).socket
    const outbox = makeOutbox<ServerEvent>(yield* socket.writer, () => connection.writableLength)
    const send = (event: ServerEvent) => outbox.send({ ...event, event_id: `event_${ulid()}` })
    const conversation = yield* makeRealtime({
      kind,
      model: query.get("model") ?? CONFIGURED,
      base,
      errand,
      send,
      voiceFor: (name) => voiceFor(name, base.speaker.voice)
    }).pipe(Effect.provide(services))
    yield* errand.done
    yield* conversation.start
    yield* Effect.forkScoped(conversation.follow)

    const complain = (failure: Parameters<typeof openAiBody>[0], text: string) =>
      send({ type: "error", error: { ...openAiBody(failure).error, event_id: eventIdOf(text) } })
    const receive = (message: string | Uint8Array): Effect.Effect<void> => {
      const text = typeof message === "string" ? message : ""
      const work: Effect.Effect<void, Failure> =
        typeof message === "string"
          ? Effect.flatMap(parse(message), conversation.receive)
          : Effect.fail(new Terminal({ code: "input.invalid", message: "Events are JSON text, not binary." }))
      return work.pipe(
        Effect.catchCause((cause) => {
          if (Cause.hasInterruptsOnly(cause)) return Effect.failCause(cause as Cause.Cause<never>)
          const failure = Option.getOrUndefined(Cause.findErrorOption(cause))
          if (failure !== undefined) return complain(failure, text)
          return Effect.andThen(
            Effect.logError("a realtime event could not be handled", cause),
            complain({ code: "internal", message: "The event could not be handled because of a fault in Voxbus." }, text)
          )
        })
      )
    }
    yield* reader.pull.pipe(
      Effect.flatMap((messages) => Effect.forEach(messages, receive, { discard: true })),
      Effect.forever,
      // The client is gone, which is how every connection ends.
      Effect.catch(() => Effect.void)
    )
    return HttpServerResponse.empty()
  })
})
