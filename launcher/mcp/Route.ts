/**
 * `POST /mcp` of the gateway: the MCP server over Streamable HTTP, for programs that are not on this machine's standard
 * input and output. Each request stands alone, so there is no session to lose; its answer streams progress as events.
 *
 * A tool that changes nothing wants a token with the scope `read`, another `write` and counts against the client's limit.
 */
import * as Effect from "effect/Effect"
import * as HttpRouter from "effect/http/HttpRouter"
import type * as HttpServerRequest from "effect/http/HttpServerRequest"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import { demand } from "../../gateway/Access.ts"
import { jsonBody } from "../../gateway/openai/Body.ts"
import { makeRateLimit } from "../../gateway/RateLimit.ts"
import { Caller } from "../../gateway/RequestContext.ts"
import { answered, counted } from "../../gateway/Rest.ts"
import { describe, Terminal } from "../../kernel/Failure.ts"
import { Models } from "../../kernel/Models.ts"
import { Settings } from "../../kernel/Settings.ts"
import type { Tool } from "./Tools.ts"

const body = jsonBody(Schema.Unknown)

/** What clients know as: no stream outside a request, no session to end. */
const ONLY_POST = HttpServerResponse.text("MCP is spoken with POST here.\n", { status: 405, headers: { allow: "POST" } })

/** The SDK is read with the first request. */
const sdk = Effect.promise(() =>
  Promise.all([import("./Server.ts"), import("@modelcontextprotocol/sdk/server/webStandardStreamableHttp.js")])
)

const routes = HttpRouter.use((router) =>
  Effect.gen(function* () {
    const services = yield* Effect.context<Settings | Models>()
    const { gateway } = yield* Settings
    const limit = makeRateLimit(gateway.limits.requestsPerMinute)

    const handle = Effect.fnUntraced(function* (request: HttpServerRequest.HttpServerRequest) {
      const caller = yield* demand("read")
      const parsedBody = yield* body(request)
      const [{ mcpServer }, { WebStandardStreamableHTTPServerTransport }] = yield* sdk
      const permit = ({ reads }: Tool) =>
        (reads ? Effect.void : Effect.andThen(demand("write"), counted(limit, request))).pipe(Effect.provideService(Caller, caller))
      const server = mcpServer(services, permit)
      const close = Effect.promise(() => server.close())
      const transport = new WebStandardStreamableHTTPServerTransport({})
      const answer = yield* Effect.tryPromise({
        try: async () => {
          await server.connect(transport)
          return transport.handleRequest(new Request("http://localhost/mcp", { method: "POST", headers: { ...request.headers } }), {
            parsedBody
          })
        },
        catch: (cause) => new Terminal({ code: "input.invalid", message: `The request is not MCP: ${describe(cause)}` })
      }).pipe(Effect.onError(() => close))
      const { status, body: stream } = answer
      const told = { status, headers: Object.fromEntries(answer.headers) }
      if (stream === null) return yield* Effect.as(close, HttpServerResponse.empty(told))
      // A client that goes away ends its tool.
      const events = Stream.fromReadableStream({ evaluate: () => stream, onError: (cause) => cause }).pipe(Stream.ensuring(close))
      return HttpServerResponse.stream(events, told)
    })

    yield* router.add("POST", "/mcp", (request) => answered(handle(request)))
    yield* router.add("GET", "/mcp", ONLY_POST)
    yield* router.add("DELETE", "/mcp", ONLY_POST)
  })
)

export const mcpRoute = routes.pipe(Layer.provide(Models.layer))
