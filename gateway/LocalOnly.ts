/**
 * Who may talk to the gateway: programs of this machine and the pages it serves itself. A page of another site that
 * reaches 127.0.0.1 from the user's browser, or a name that resolves to it (DNS rebinding), gets 403.
 */
import * as Effect from "effect/Effect"
import * as HttpRouter from "effect/http/HttpRouter"
import * as HttpServer from "effect/http/HttpServer"
import * as HttpServerRequest from "effect/http/HttpServerRequest"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import { Settings } from "../kernel/Settings.ts"

const NAMES = ["127.0.0.1", "localhost", "[::1]"]

/** The one style element that React Aria adds by itself: `touch-action` of what can be pressed. */
const PRESSABLE_STYLE = "'sha256-38RhXrc7EdReTKsOm23ZPOCUgniTUUcjky8QOOrQx6o='"
/** The style sheet of a waveform 72 px high, in its shadow root (`ui/src/calls/Waveform.tsx`). */
const WAVEFORM_STYLE = "'sha256-XGW/cX2BkTPWNNT3NdyASrPEWZfPnKdPJaJ2aN7R+v8='"

/** Everything the page may load or reach is here; nothing may frame it. */
const HEADERS = {
  "content-security-policy": `default-src 'none'; script-src 'self'; style-src 'self' ${PRESSABLE_STYLE} ${WAVEFORM_STYLE}; connect-src 'self'; img-src 'self' data:; media-src 'self' blob:; worker-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`,
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
 * @param known.names further `host[:port]` by which the gateway may be called; from the settings
 */
export const isLocal = (
  port: number,
  host: string | undefined,
  origin: string | undefined,
  { names = [], scheme = "http" }: { readonly names?: ReadonlyArray<string>; readonly scheme?: "http" | "https" } = {}
): boolean => {
  const hosts = [
    ...names,
    ...NAMES.flatMap((name) => (port === (scheme === "http" ? 80 : 443) ? [name, `${name}:${port}`] : [`${name}:${port}`]))
  ]
  return (
    host !== undefined &&
    hosts.includes(host.toLowerCase()) &&
    (origin === undefined || origin.toLowerCase() === `${scheme}://${host.toLowerCase()}`)
  )
}

const REFUSED = HttpServerResponse.text("403: Voxbus answers only to this machine and to its own page.\n", { status: 403 })

export const localOnly = HttpRouter.middleware(
  Effect.gen(function* () {
    const { address } = yield* HttpServer.HttpServer
    const port = "port" in address ? address.port : 0
    const { gateway } = yield* Settings
    const known = {
      names: gateway.names.map((name) => name.toLowerCase()),
      scheme: gateway.tls.certificate === "" ? "http" : "https"
    } as const
    return (response) =>
      Effect.flatMap(HttpServerRequest.HttpServerRequest, ({ headers }) =>
        isLocal(port, headers["host"], headers["origin"], known)
          ? Effect.map(response, HttpServerResponse.setHeaders(HEADERS))
          : Effect.succeed(REFUSED)
      )
  }),
  { global: true }
)
