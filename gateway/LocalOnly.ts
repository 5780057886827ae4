/**
 * Who may talk to the gateway: programs of this machine and the pages it serves itself. A page of another site that
 * reaches 127.0.0.1 from the user's browser, or a name that resolves to it (DNS rebinding), gets 403.
 */
import * as Effect from "effect/Effect"
import * as HttpRouter from "effect/http/HttpRouter"
import * as HttpServer from "effect/http/HttpServer"
import * as HttpServerRequest from "effect/http/HttpServerRequest"
import * as HttpServerResponse from "effect/http/HttpServerResponse"

const NAMES = ["127.0.0.1", "localhost", "[::1]"]

/** Everything the page may load or reach is here; nothing may frame it. */
const HEADERS = {
  "content-security-policy":
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  "x-content-type-options": "nosniff",
  "referrer-policy": "no-referrer",
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-resource-policy": "same-origin",
  "permissions-policy": "microphone=(self), camera=(), geolocation=()"
}

/**
 * @param port the gateway listens on
 * @param host header `Host` of the request
 * @param origin header `Origin`, sent by browsers
 */
export const isLocal = (port: number, host: string | undefined, origin: string | undefined): boolean => {
  const hosts = NAMES.flatMap((name) => (port === 80 ? [name, `${name}:80`] : [`${name}:${port}`]))
  return (
    host !== undefined &&
    hosts.includes(host.toLowerCase()) &&
    (origin === undefined || origin.toLowerCase() === `http://${host.toLowerCase()}`)
  )
}

const REFUSED = HttpServerResponse.text("403: Voxbus answers only to this machine and to its own page.\n", { status: 403 })

export const localOnly = HttpRouter.middleware(
  Effect.gen(function* () {
    const { address } = yield* HttpServer.HttpServer
    const port = "port" in address ? address.port : 0
    return (response) =>
      Effect.flatMap(HttpServerRequest.HttpServerRequest, ({ headers }) =>
        isLocal(port, headers["host"], headers["origin"])
          ? Effect.map(response, HttpServerResponse.setHeaders(HEADERS))
          : Effect.succeed(REFUSED)
      )
  }),
  { global: true }
)
