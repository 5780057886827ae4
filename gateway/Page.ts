/** The page: what `npm run ui:build` made of `ui/`, read once. Its files hold no secret and are served to anybody on the machine. */
import * as Effect from "effect/Effect"
import * as HttpRouter from "effect/http/HttpRouter"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import { existsSync, readdirSync, readFileSync } from "node:fs"
import { extname } from "node:path"

const DIST = new URL("../ui/dist/", import.meta.url)

/** Addresses beside those below `/assets/`. */
export const PUBLIC_PATHS: ReadonlyArray<`/${string}`> = ["/", "/icon.svg", "/capture-worklet.js", "/call-worklet.js"]

const TYPES: Readonly<Record<string, string>> = {
  ".html": "text/html; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".svg": "image/svg+xml",
  ".woff2": "font/woff2"
}

const NOT_BUILT = "The page is not built. `npm start` builds it, and so does `npm run ui:build`.\n"

const file = (path: string, cache: string) =>
  HttpServerResponse.uint8Array(readFileSync(new URL(`.${path}`, DIST)), {
    contentType: TYPES[extname(path)] ?? "application/octet-stream",
    headers: { "cache-control": cache }
  })

export const pageRoutes = HttpRouter.use((router) =>
  Effect.suspend(() => {
    if (!existsSync(new URL("index.html", DIST))) return router.add("GET", "/", HttpServerResponse.text(NOT_BUILT, { status: 503 }))
    const assets = readdirSync(new URL("assets/", DIST)).map((name): `/${string}` => `/assets/${name}`)
    return Effect.gen(function* () {
      yield* router.add("GET", "/", file("/index.html", "no-cache"))
      for (const path of PUBLIC_PATHS.filter((each) => each !== "/")) yield* router.add("GET", path, file(path, "no-cache"))
      // Their names carry a hash of their content.
      for (const path of assets) yield* router.add("GET", path, file(path, "public, max-age=31536000, immutable"))
    })
  })
)
