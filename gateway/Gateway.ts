/**
 * The gateway: one HTTP server on 127.0.0.1 for the page, `/health` and the WebSocket.
 *
 * Port 0 takes a free one; `GatewayAddress` says which. A port that somebody else has fails with `instance.port_taken`.
 *
 * @example
 * const program = Effect.flatMap(GatewayAddress, ({ url }) => Effect.logInfo(url)).pipe(Effect.provide(gatewayLayer))
 */
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as HttpRouter from "effect/http/HttpRouter"
import * as HttpServer from "effect/http/HttpServer"
import * as Layer from "effect/Layer"
import { createServer } from "node:http"
import { describe, systemCode, Terminal } from "../kernel/Failure.ts"
import { Settings } from "../kernel/Settings.ts"
import type { ConversationOptions } from "./Conversation.ts"
import { healthRoute } from "./Health.ts"
import { localOnly } from "./LocalOnly.ts"
import { pageRoutes } from "./Page.ts"
import { webSocketRoute } from "./WebSocket.ts"

const HOST = "127.0.0.1"
/** Above our own limit, so that a message which is too large is answered and not punished; bytes. */
const MAX_PAYLOAD = 8 * 1024 * 1024
/** `closeTimeout` is how long a closing handshake may take, milliseconds; ws has it, its type does not. */
const WEBSOCKET = { maxPayload: MAX_PAYLOAD, perMessageDeflate: false, closeTimeout: 1_000 }

/** Where the gateway listens. */
export class GatewayAddress extends Context.Service<GatewayAddress, { readonly url: string }>()("voxbus/gateway/Address") {}

const unusable = (port: number, cause: unknown) =>
  new Terminal({
    code: "instance.port_taken",
    message:
      systemCode(cause) === "EADDRINUSE"
        ? `Port ${port} on ${HOST} is used by another program. Stop it, or choose another port with --port (0 takes a free one).`
        : `Port ${port} on ${HOST} cannot be used (${describe(cause)}). Choose another with --port (0 takes a free one).`,
    cause
  })

const server = Layer.effect(
  HttpServer.HttpServer,
  Effect.gen(function* () {
    const { gateway } = yield* Settings
    return yield* NodeHttpServer.make(createServer, {
      host: HOST,
      port: gateway.port,
      // Open sockets would hold the server for as long as their clients like.
      disablePreemptiveShutdown: true,
      websocket: WEBSOCKET
    }).pipe(Effect.mapError(({ cause }) => unusable(gateway.port, cause)))
  })
)

const address = Layer.effect(
  GatewayAddress,
  Effect.gen(function* () {
    const { address } = yield* HttpServer.HttpServer
    const url = `http://${HOST}:${"port" in address ? address.port : 0}`
    yield* Effect.logInfo("gateway listens").pipe(Effect.annotateLogs({ url }))
    return GatewayAddress.of({ url })
  })
)

/** The gateway with other limits than the usual ones. */
export const gatewayWith = (options: ConversationOptions) =>
  Layer.merge(
    address,
    HttpRouter.serve(Layer.mergeAll(healthRoute, webSocketRoute(options), pageRoutes, localOnly), {
      disableLogger: true,
      disableListenLog: true
    })
  ).pipe(Layer.provide(server), Layer.provide(NodeHttpServer.layerHttpServices))

/** Needs the bus, the blobs, the recorder of the capture actor and the settings. */
export const gatewayLayer = gatewayWith({ patienceMs: 30_000 })
