/**
 * Who asks. Everything wants a token but what is listed here: the page's own files, `/health` and `/login`.
 *
 * A program sends `Authorization: Bearer`, a page the cookie that a one-time link gave it. A cookie is sent by the browser
 * unasked, so with one the request must come from our own page: `Sec-Fetch-Site` or, in older browsers, `Origin` says so.
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as HttpRouter from "effect/http/HttpRouter"
import * as HttpServer from "effect/http/HttpServer"
import * as HttpServerRequest from "effect/http/HttpServerRequest"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Option from "effect/Option"
import { ulid } from "ulid"
import type { Scope } from "../contract/Command.ts"
import { Terminal } from "../kernel/Failure.ts"
import { isLoopback } from "../kernel/Network.ts"
import { Settings } from "../kernel/Settings.ts"
import { homeToken, type Identity, identify, isLinkCode, isPageCookie, madeAt, pageCookie } from "../kernel/Tokens.ts"
import { openAiResponse } from "./openai/Problem.ts"
import { PUBLIC_PATHS } from "./Page.ts"
import { problemResponse } from "./Problem.ts"
import { Caller, RequestId } from "./RequestContext.ts"

export { Caller, RequestId } from "./RequestContext.ts"

const OPEN: ReadonlyArray<string> = ["/health", "/api/health", "/login", ...PUBLIC_PATHS]

const isOpen = (path: string) => OPEN.includes(path) || path.startsWith("/assets/")

const SAFE = ["GET", "HEAD"]

/** Cookies do not know ports: two instances on one machine must not overwrite each other's. */
const cookieName = (port: number) => `voxbus_${port}`

const portOf = Effect.map(HttpServer.HttpServer, ({ address }) => ("port" in address ? address.port : 0))

const fromOwnPage = (request: HttpServerRequest.HttpServerRequest): boolean => {
  const site = request.headers["sec-fetch-site"]
  if (site !== undefined) return site === "same-origin" || (site === "none" && SAFE.includes(request.method))
  return request.headers["origin"] !== undefined || SAFE.includes(request.method)
}

const bearer = (header: string | undefined): string | undefined => /^bearer\s+(\S+)$/i.exec(header ?? "")?.[1]

/** Fails with `access.denied`. `LocalOnly.ts` has compared `Origin` with `Host` already. */
const authenticate = Effect.fnUntraced(function* (home: string, port: number, request: HttpServerRequest.HttpServerRequest) {
  const token = bearer(request.headers["authorization"])
  if (token !== undefined) {
    const known = yield* identify(home, token)
    return known ?? (yield* new Terminal({ code: "access.denied", message: "The token is not known here." }))
  }
  const cookie = request.cookies[cookieName(port)]
  if (cookie !== undefined && fromOwnPage(request) && (yield* isPageCookie(home, cookie))) {
    return { name: "page", scopes: ["read", "write", "admin"] } satisfies Identity
  }
  return yield* new Terminal({ code: "access.denied", message: "This address wants a token." })
})

/** Fails with `access.forbidden` unless the caller has the scope. */
export const demand = (scope: Scope): Effect.Effect<Identity, Terminal> =>
  Effect.flatMap(Caller, (caller) =>
    caller.scopes.includes(scope)
      ? Effect.succeed(caller)
      : Effect.fail(new Terminal({ code: "access.forbidden", message: `The token "${caller.name}" lacks the scope "${scope}".` }))
  )

/** Each API has its own form of a failure. */
const refusal = ({ url }: HttpServerRequest.HttpServerRequest) => (url.startsWith("/v1/") ? openAiResponse : problemResponse)

export const accessGuard = HttpRouter.middleware(
  Effect.gen(function* () {
    const port = yield* portOf
    const settings = yield* Settings
    const { home } = settings
    yield* homeToken(home)
    const isScrape = (request: HttpServerRequest.HttpServerRequest, path: string) =>
      path === "/metrics"
        ? Effect.map(
            settings.reload,
            ({ telemetry }) =>
              telemetry.openMetrics && isLoopback(Option.getOrElse(request.remoteAddress, () => "").replace(/^::ffff:/, ""))
          )
        : Effect.succeed(false)
    return (response) =>
      Effect.gen(function* () {
        const request = yield* HttpServerRequest.HttpServerRequest
        const given = request.headers["x-request-id"]
        const id = given !== undefined && /^[A-Za-z0-9_-]{1,64}$/.test(given) ? given : `req_${ulid()}`
        const path = request.url.split("?")[0] ?? ""
        const answer =
          isOpen(path) || (yield* isScrape(request, path))
            ? response
            : authenticate(home, port, request).pipe(
                Effect.flatMap((caller) => Effect.provideService(response, Caller, caller)),
                Effect.catchTag("Terminal", (failure) =>
                  Effect.succeed(refusal(request)(failure, id, { "www-authenticate": 'Bearer realm="voxbus"' }))
                )
              )
        return yield* answer.pipe(Effect.provideService(RequestId, id), Effect.map(HttpServerResponse.setHeader("x-request-id", id)))
      })
  }),
  { global: true }
)

const REFUSED = "This link has been used or is too old. `npx voxbus open` makes a new one.\n"

/** `GET /login?code=`: the one-time link. The page has a cookie then, and no script can read it. */
export const loginRoute = HttpRouter.use((router) =>
  Effect.gen(function* () {
    const port = yield* portOf
    const { home, gateway } = yield* Settings
    const began = yield* Clock.currentTimeMillis
    const used = new Set<string>()
    yield* router.add(
      "GET",
      "/login",
      Effect.fnUntraced(function* (request: HttpServerRequest.HttpServerRequest) {
        const code = new URL(request.url, "http://localhost").searchParams.get("code") ?? ""
        // A restart forgets which codes were used, so it ends those made before.
        const good = madeAt(code) >= began - 1_000 && !used.has(code) && (yield* isLinkCode(home, code))
        if (!good) return HttpServerResponse.text(REFUSED, { status: 401 })
        used.add(code)
        return HttpServerResponse.redirect("/", { status: 303 }).pipe(
          HttpServerResponse.setCookieUnsafe(cookieName(port), yield* pageCookie(home), {
            httpOnly: true,
            sameSite: "strict",
            path: "/",
            maxAge: "30 days",
            secure: gateway.tls.certificate !== ""
          }),
          HttpServerResponse.setHeader("cache-control", "no-store")
        )
      })
    )
  })
)
