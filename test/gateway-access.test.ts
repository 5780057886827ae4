/** Who gets in: tokens, scopes, the one-time link and its cookie, and what REST says to the rest. */
import { assert, describe, layer } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { statSync } from "node:fs"
import { join } from "node:path"
import { GatewayAddress, gatewayWith } from "../gateway/index.ts"
import { Recorder, Recordings } from "../actors/capture/index.ts"
import type { Bus } from "../kernel/Bus.ts"
import { busBlobs, busFrames } from "../kernel/BusBlobs.ts"
import { serve } from "../kernel/Commands.ts"
import { Settings } from "../kernel/Settings.ts"
import { homeToken, issueToken, linkCode, renewHomeToken } from "../kernel/Tokens.ts"
import { auditHandlers } from "../launcher/handlers/Audit.ts"
import { instanceHandlers } from "../launcher/handlers/Instance.ts"
import { settingsWith } from "./support/gateway.ts"
import { realBus } from "./support/server.ts"

const gatewayOn = (options: Record<string, unknown>) =>
  gatewayWith({ patienceMs: 2_000 }).pipe(
    Layer.provideMerge(Layer.effectDiscard(serve<Bus | Settings>([...instanceHandlers, ...auditHandlers]))),
    Layer.provide(Recordings.layer),
    Layer.provideMerge(settingsWith(0, options)),
    Layer.provideMerge(Layer.mergeAll(busBlobs, busFrames, Recorder.layer).pipe(Layer.provideMerge(realBus)))
  )

const get = (path: string, init: RequestInit = {}) =>
  Effect.gen(function* () {
    const { url } = yield* GatewayAddress
    const response = yield* Effect.promise(() => fetch(new URL(path, url), { redirect: "manual", ...init }))
    const text = yield* Effect.promise(() => response.text())
    return { response, status: response.status, text, json: (): any => JSON.parse(text) }
  })

const bearer = (token: string) => ({ headers: { authorization: `Bearer ${token}` } })

describe("access to the gateway", () => {
  layer(gatewayOn({}), { excludeTestServices: true, timeout: 60_000 })((it) => {
    it.effect("wants a token for everything but the page, the health and the login", () =>
      Effect.gen(function* () {
        for (const path of ["/", "/icon.svg", "/health"]) assert.strictEqual((yield* get(path)).status, 200, path)
        for (const path of ["/api/instance/status", "/api/openapi.json", "/api/nothing", "/ws", "/metrics"]) {
          const refused = yield* get(path)
          assert.strictEqual(refused.status, 401, path)
          assert.strictEqual(refused.json().error, "access.denied")
          assert.match(refused.json().request_id, /^req_/)
          assert.strictEqual(refused.response.headers.get("x-request-id"), refused.json().request_id)
        }
        // Clients of OpenAI's API read its own shape.
        const openAi = yield* get("/v1/models")
        assert.deepInclude(openAi.json().error, { type: "authentication_error", code: "access.denied" })
        assert.strictEqual(openAi.status, 401)
        assert.strictEqual((yield* get("/api/instance/status", bearer("vox_wrong"))).status, 401)
      })
    )

    it.effect("keeps the token in a file of its owner and lets its bearer ask", () =>
      Effect.gen(function* () {
        const { home } = yield* Settings
        const token = yield* homeToken(home)
        assert.strictEqual(statSync(join(home, "token")).mode & 0o777, 0o600)
        const status = yield* get("/api/instance/status", bearer(token))
        assert.strictEqual(status.status, 200)
        assert.isFalse(status.json().offline)
        const unknown = yield* get("/api/nothing", bearer(token))
        assert.deepInclude(unknown.json(), { error: "route.unknown", recoverable: false })
        const superfluous = yield* get("/api/audit?more=1", bearer(token))
        assert.strictEqual(superfluous.status, 400)
        assert.strictEqual(superfluous.json().error, "input.invalid")
      })
    )

    it.effect("gives issued tokens no more than their scopes", () =>
      Effect.gen(function* () {
        const { home } = yield* Settings
        const reader = yield* issueToken(home, "dashboard", ["read"])
        assert.strictEqual((yield* get("/api/instance/status", bearer(reader))).status, 200)
        const refused = yield* get("/api/audit", bearer(reader))
        assert.strictEqual(refused.status, 403)
        assert.include(refused.json().message, "admin")
      })
    )

    it.effect("opens the page by a link that works once, and the cookie only for that page", () =>
      Effect.gen(function* () {
        const { link, url } = yield* GatewayAddress
        const door = yield* link
        const first = yield* get(door)
        assert.strictEqual(first.status, 303)
        const cookie = first.response.headers.get("set-cookie") ?? ""
        assert.match(cookie, /HttpOnly/i)
        assert.match(cookie, /SameSite=Strict/i)
        assert.strictEqual((yield* get(door)).status, 401)
        const value = cookie.split(";")[0] ?? ""
        const ask = (headers: Record<string, string>) => get("/api/instance/status", { headers: { cookie: value, ...headers } })
        assert.strictEqual((yield* ask({ "sec-fetch-site": "same-origin" })).status, 200)
        assert.strictEqual((yield* ask({ "sec-fetch-site": "same-site" })).status, 401)
        assert.strictEqual((yield* ask({ "sec-fetch-site": "cross-site" })).status, 401)
        assert.strictEqual((yield* ask({ origin: "http://127.0.0.1:1" })).status, 403)
        const post = yield* get("/api/instance/status", { method: "POST", headers: { cookie: value } })
        assert.strictEqual(post.status, 401, "a browser that sends neither Origin nor Sec-Fetch-Site may not write")
        const forged = `${value.slice(0, -3)}AAA`
        assert.strictEqual((yield* get("/api/instance/status", { headers: { cookie: forged } })).status, 401)
        assert.include(url, "127.0.0.1")
      })
    )

    it.effect("describes every command as OpenAPI", () =>
      Effect.gen(function* () {
        const { home } = yield* Settings
        const document = (yield* get("/api/openapi.json", bearer(yield* homeToken(home)))).json()
        assert.strictEqual(document.openapi, "3.1.0")
        assert.strictEqual(document.paths["/api/instance/status"].get.operationId, "instance.status")
        assert.isDefined(document.components.schemas.Problem)
      })
    )

    it.effect("ends links and pages when the token is renewed", () =>
      Effect.gen(function* () {
        const { home } = yield* Settings
        const old = yield* homeToken(home)
        const code = yield* linkCode(home)
        const next = yield* renewHomeToken(home)
        assert.strictEqual((yield* get("/api/instance/status", bearer(old))).status, 401)
        assert.strictEqual((yield* get(`/login?code=${code}`)).status, 401)
        assert.strictEqual((yield* get("/api/instance/status", bearer(next))).status, 200)
      })
    )
  })

  layer(Layer.empty, { excludeTestServices: true })((it) => {
    it.effect("binds nothing but loopback without TLS", () =>
      Effect.gen(function* () {
        const failure = yield* Effect.flip(Effect.scoped(Layer.build(Layer.fresh(gatewayOn({ host: "0.0.0.0" })))))
        assert.strictEqual(failure.code, "config.invalid")
        assert.include(failure.message, "TLS")
      })
    )
  })
})
