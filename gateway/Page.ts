/** The page: files of `page/` as they are, read once. There is no build step. */
import * as Effect from "effect/Effect"
import * as HttpRouter from "effect/http/HttpRouter"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Layer from "effect/Layer"
import { readFileSync } from "node:fs"

const STYLE = "text/css; charset=utf-8"
const SCRIPT = "text/javascript; charset=utf-8"

const FILES = [
  { path: "/", file: "index.html", contentType: "text/html; charset=utf-8" },
  { path: "/style.css", file: "style.css", contentType: STYLE },
  { path: "/controls.css", file: "controls.css", contentType: STYLE },
  { path: "/app.js", file: "app.js", contentType: SCRIPT },
  { path: "/connection.js", file: "connection.js", contentType: SCRIPT },
  { path: "/conversation.js", file: "conversation.js", contentType: SCRIPT },
  { path: "/microphone.js", file: "microphone.js", contentType: SCRIPT },
  { path: "/player.js", file: "player.js", contentType: SCRIPT },
  { path: "/capture-worklet.js", file: "capture-worklet.js", contentType: SCRIPT },
  { path: "/icon.svg", file: "icon.svg", contentType: "image/svg+xml" }
] as const

const route = ({ path, file, contentType }: (typeof FILES)[number]) =>
  Layer.unwrap(
    Effect.sync(() => {
      const body = readFileSync(new URL(`page/${file}`, import.meta.url))
      return HttpRouter.add("GET", path, HttpServerResponse.uint8Array(body, { contentType, headers: { "cache-control": "no-cache" } }))
    })
  )

const [index, ...others] = FILES
export const pageRoutes = Layer.mergeAll(route(index), ...others.map(route))
