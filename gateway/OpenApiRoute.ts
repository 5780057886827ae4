/** `GET /api/openapi.json`: what can be asked over HTTP. */
import * as Effect from "effect/Effect"
import * as HttpRouter from "effect/http/HttpRouter"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import { openApi } from "../contract/OpenApi.ts"
import { VERSION } from "./Version.ts"

export const openApiRoute = HttpRouter.add("GET", "/api/openapi.json", () =>
  // The address that the client came by: relative to the document.
  Effect.sync(() => HttpServerResponse.jsonUnsafe(openApi(VERSION, "/")))
)
