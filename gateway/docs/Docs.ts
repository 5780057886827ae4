/**
 * `/docs/api` (also `/api/reference`) and `/docs/events`: the two documents as pages, made here from the contract, without a script and without a
 * request to anywhere. `GET /api/asyncapi.json` is the second one for programs, with its schemas below `/api/schemas/`.
 */
import * as Effect from "effect/Effect"
import * as HttpRouter from "effect/http/HttpRouter"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import { readFileSync } from "node:fs"
import { asyncApi, jsonSchemas } from "../../contract/AsyncApi.ts"
import { openApi } from "../../contract/OpenApi.ts"
import { answered, unknownRoute } from "../Rest.ts"
import { VERSION } from "../Version.ts"
import { apiPage } from "./ApiPage.ts"
import { eventsPage } from "./EventsPage.ts"

const CACHED = { headers: { "cache-control": "no-cache" } } as const

/** Made when somebody asks for the first time. */
const once = <A>(make: () => A) => {
  let made: { readonly value: A } | undefined
  return Effect.sync(() => (made ??= { value: make() }).value)
}

const api = once(() => apiPage(openApi(VERSION, "/")))
const document = once(() => asyncApi(VERSION))
const schemas = once(jsonSchemas)
const events = Effect.map(Effect.all([document, schemas]), ([described, all]) => eventsPage(described, all))
const style = once(() => readFileSync(new URL("style.css", import.meta.url), "utf8"))

const asHtml = (text: string) => HttpServerResponse.text(text, { contentType: "text/html; charset=utf-8", ...CACHED })

export const docsRoutes = HttpRouter.use((router) =>
  Effect.gen(function* () {
    yield* router.add("GET", "/docs/api", () => Effect.map(api, asHtml))
    yield* router.add("GET", "/api/reference", () => Effect.map(api, asHtml))
    yield* router.add("GET", "/docs/events", () => Effect.map(events, asHtml))
    yield* router.add("GET", "/docs/style.css", () =>
      Effect.map(style, (text) => HttpServerResponse.text(text, { contentType: "text/css; charset=utf-8", ...CACHED }))
    )
    yield* router.add("GET", "/api/asyncapi.json", () => Effect.map(document, (all) => HttpServerResponse.jsonUnsafe(all)))
    // Where the document's own references lead.
    yield* router.add("GET", "/api/schemas/:name", (request) =>
      Effect.gen(function* () {
        const { name = "" } = yield* HttpRouter.params
        const schema = (yield* schemas).get(name)
        return yield* answered(
          schema === undefined ? Effect.fail(unknownRoute(request)) : Effect.succeed(HttpServerResponse.jsonUnsafe(schema))
        )
      })
    )
  })
)
