/**
 * The gateway: one HTTP server for the page, `/api` and the WebSocket, on 127.0.0.1 unless the settings say otherwise.
 *
 * Port 0 takes a free one; `GatewayAddress` says which. A port that somebody else has fails with `instance.port_taken`.
 *
 * @example
 * const program = Effect.flatMap(GatewayAddress, ({ url }) => Effect.logInfo(url)).pipe(Effect.provide(gatewayLayer()))
 */
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as HttpRouter from "effect/http/HttpRouter"
import * as HttpServer from "effect/http/HttpServer"
import * as Layer from "effect/Layer"
import { readFileSync } from "node:fs"
import { createServer, type Server } from "node:http"
import { createServer as createTlsServer } from "node:https"
import { normalizerLayer } from "../actors/normalizer/index.ts"
import { describe, systemCode, Terminal } from "../kernel/Failure.ts"
import { Models } from "../kernel/Models.ts"
import { Settings } from "../kernel/Settings.ts"
import { homeToken, linkCode } from "../kernel/Tokens.ts"
import { accessGuard, loginRoute } from "./Access.ts"
import type { ConversationOptions } from "./Conversation.ts"
import { docsRoutes } from "./docs/Docs.ts"
import { downloadRoutes } from "./downloads/Downloads.ts"
import { eventStreamRoute } from "./EventStream.ts"
import { healthRoute } from "./Health.ts"
import { localOnly } from "./LocalOnly.ts"
import { metricsRoute } from "./metrics/Metrics.ts"
import { openAiRoutes } from "./openai/index.ts"
import { openApiRoute } from "./OpenApiRoute.ts"
import { pageRoutes } from "./Page.ts"
import { restRoutes } from "./Rest.ts"
import { uploadRoute } from "./uploads/Uploads.ts"
import { webSocketRoute } from "./WebSocket.ts"
import { wyomingServer } from "./wyoming/Server.ts"

const LOOPBACK = ["127.0.0.1", "localhost", "::1"]
/** Above our own limit, so that a message which is too large is answered and not punished; bytes. */
const MAX_PAYLOAD = 8 * 1024 * 1024
/** `closeTimeout` is how long a closing handshake may take, milliseconds; ws has it, its type does not. */
const WEBSOCKET = { maxPayload: MAX_PAYLOAD, perMessageDeflate: false, closeTimeout: 1_000 }

/** Where the gateway listens, and how its owner gets in. */
export class GatewayAddress extends Context.Service<
  GatewayAddress,
  {
    readonly url: string
    /** The token of the home. */
    readonly token: string
    /** A one-time link to the page. */
    readonly link: Effect.Effect<string, Terminal>
  }
>()("voxbus/gateway/Address") {}

type Options = (typeof Settings)["Service"]["gateway"]

const unusable = ({ host, port }: Options, cause: unknown) =>
  new Terminal({
    code: "instance.port_taken",
    message:
      systemCode(cause) === "EADDRINUSE"
        ? `Port ${port} on ${host} is used by another program. Stop it, or choose another port with --port (0 takes a free one).`
        : `Port ${port} on ${host} cannot be used (${describe(cause)}). Choose another with --port (0 takes a free one).`,
    cause
  })

const readPem = (path: string) =>
  Effect.try({
    try: () => readFileSync(path),
    catch: (cause) => new Terminal({ code: "config.invalid", message: `The TLS file ${path} cannot be read: ${describe(cause)}`, cause })
  })

/** Plain HTTP for this machine only: what crosses a network is encrypted. */
const serverFor = Effect.fnUntraced(function* ({ host, tls }: Options): Effect.fn.Return<() => Server, Terminal> {
  if (tls.certificate !== "" && tls.key !== "") {
    const files = { cert: yield* readPem(tls.certificate), key: yield* readPem(tls.key) }
    return () => createTlsServer(files)
  }
  if (!LOOPBACK.includes(host))
    return yield* new Terminal({
      code: "config.invalid",
      message: `The gateway binds ${host} only with TLS: set gateway.tls.certificate and gateway.tls.key (PEM files), and gateway.names.`
    })
  return () => createServer()
})

const server = Layer.effect(
  HttpServer.HttpServer,
  Effect.gen(function* () {
    const { gateway } = yield* Settings
    return yield* NodeHttpServer.make(yield* serverFor(gateway), {
      host: gateway.host,
      port: gateway.port,
      // Open sockets would hold the server for as long as their clients like.
      disablePreemptiveShutdown: true,
      websocket: WEBSOCKET
    }).pipe(Effect.mapError((failure) => (failure instanceof Terminal ? failure : unusable(gateway, failure.cause))))
  })
)

const address = Layer.effect(
  GatewayAddress,
  Effect.gen(function* () {
    const { address } = yield* HttpServer.HttpServer
    const { gateway, home } = yield* Settings
    const scheme = gateway.tls.certificate === "" ? "http" : "https"
    const name = gateway.host.includes(":") ? `[${gateway.host}]` : gateway.host
    const url = `${scheme}://${name}:${"port" in address ? address.port : 0}`
    yield* Effect.logInfo("gateway listens").pipe(Effect.annotateLogs({ url }))
    return GatewayAddress.of({
      url,
      token: yield* homeToken(home),
      link: Effect.map(linkCode(home), (code) => `${url}/login?code=${code}`)
    })
  })
)

/**
 * The gateway with other limits than the usual ones.
 *
 * @param more routes of the program around it
 */
export const gatewayWith = <E = never, R = never>(options: ConversationOptions, more: Layer.Layer<never, E, R> = Layer.empty) =>
  Layer.merge(
    address,
    HttpRouter.serve(
      Layer.mergeAll(
        healthRoute,
        loginRoute,
        webSocketRoute(options),
        restRoutes,
        metricsRoute,
        uploadRoute,
        downloadRoutes,
        eventStreamRoute,
        openApiRoute,
        docsRoutes,
        openAiRoutes,
        more,
        pageRoutes,
        accessGuard,
        localOnly
      ),
      {
        disableLogger: true,
        disableListenLog: true
      }
    )
  ).pipe(
    Layer.provide(server),
    Layer.provide(NodeHttpServer.layerHttpServices),
    // It listens along while somebody speaks.
    Layer.provide(normalizerLayer.pipe(Layer.provide(Models.layer)))
  )

/** Needs the bus, the blobs, the recorder of the capture actor and the settings. */
export const gatewayLayer = <E = never, R = never>(more: Layer.Layer<never, E, R> = Layer.empty) =>
  Layer.merge(gatewayWith({}, more), wyomingServer)
