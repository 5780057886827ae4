/** Around the socket: who may talk to the gateway, its health, its port. */
import { assert, describe, layer } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { request } from "node:http"
import { createServer } from "node:net"
import { GatewayAddress, gatewayLayer } from "../gateway/index.ts"
import { Bus } from "../kernel/Bus.ts"
import { encode } from "../kernel/Envelope.ts"
import { scriptedGateway, settingsWith } from "./support/gateway.ts"

const raw = (url: string, path: string, headers: Record<string, string>) =>
  Effect.callback<number>((resume) => {
    const sent = request(new URL(path, url), { headers, setHost: headers["host"] === undefined }, (response) => {
      response.resume()
      resume(Effect.succeed(response.statusCode ?? 0))
    })
    sent.on("upgrade", (_response, socket) => {
      socket.destroy()
      resume(Effect.succeed(101))
    })
    sent.end()
  })

describe("gateway over HTTP", () => {
  layer(scriptedGateway, { excludeTestServices: true, timeout: 60_000 })((it) => {
    it.effect("refuses other hosts and other sites", () =>
      Effect.gen(function* () {
        const { url, token } = yield* GatewayAddress
        const { host, port } = new URL(url)
        const authorization = `Bearer ${token}`
        const upgrade = {
          authorization,
          connection: "Upgrade",
          upgrade: "websocket",
          "sec-websocket-version": "13",
          "sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ=="
        }
        const table: ReadonlyArray<readonly [string, Record<string, string>, number]> = [
          ["/", {}, 200],
          ["/", { host: `localhost:${port}` }, 200],
          ["/", { host: `[::1]:${port}`, origin: `http://[::1]:${port}` }, 200],
          ["/", { host, origin: `http://${host}` }, 200],
          ["/health", { host: "evil.example" }, 403],
          ["/", { host: "127.0.0.1:1" }, 403],
          ["/", { host, origin: "https://evil.example" }, 403],
          ["/", { host, origin: "null" }, 403],
          ["/nothing", {}, 401],
          ["/nothing", { authorization }, 404],
          ["/ws", { authorization }, 426],
          ["/ws", { ...upgrade, host }, 101],
          ["/ws", { ...upgrade, host, origin: `http://${host}` }, 101],
          ["/ws", { ...upgrade, host, origin: "http://evil.example" }, 403],
          ["/ws", { ...upgrade, host: "rebound.example" }, 403]
        ]
        for (const [path, headers, status] of table)
          assert.strictEqual(yield* raw(url, path, headers), status, `${path} ${JSON.stringify(headers)}`)
        const page = yield* Effect.promise(() => fetch(url))
        assert.include(page.headers.get("content-security-policy") ?? "", "default-src 'none'")
        assert.strictEqual(page.headers.get("x-content-type-options"), "nosniff")
        assert.strictEqual(page.headers.get("referrer-policy"), "no-referrer")
        assert.include(page.headers.get("content-type") ?? "", "text/html")
      })
    )

    it.effect("reports the health of the actors", () =>
      Effect.gen(function* () {
        const { url } = yield* GatewayAddress
        const bus = yield* Bus
        const health = Effect.promise(async () => (await fetch(`${url}/health`)).json() as Promise<Record<string, unknown>>)
        const say = (actor: string, status: "ready" | "down", detail: string) =>
          encode({ _tag: "health.changed", v: 1, actor, status, detail }, { actor, cause: "", messageId: `${actor}:${status}` }).pipe(
            Effect.flatMap(bus.publish)
          )
        assert.deepInclude(yield* health, { status: "starting", actors: [] })
        yield* say("speaker", "ready", "")
        yield* say("reasoner", "ready", "")
        assert.deepInclude(yield* health, {
          status: "ok",
          actors: [
            { actor: "reasoner", status: "ready", detail: "" },
            { actor: "speaker", status: "ready", detail: "" }
          ]
        })
        yield* say("speaker", "down", "No voice.")
        const last = yield* health
        assert.strictEqual(last["status"], "degraded")
        assert.match(String(last["version"]), /^\d+\.\d+\.\d+/)
        assert.isNumber(last["uptimeSeconds"])
      })
    )

    it.effect("says which port is taken and what to do", () =>
      Effect.gen(function* () {
        const port = yield* Effect.acquireRelease(
          Effect.callback<{ port: number; close: () => void }>((resume) => {
            const taken = createServer()
            taken.listen(0, "127.0.0.1", () => {
              const address = taken.address()
              resume(
                Effect.succeed({ port: typeof address === "object" && address !== null ? address.port : 0, close: () => taken.close() })
              )
            })
          }),
          ({ close }) => Effect.sync(close)
        )
        const failure = yield* Effect.flip(
          Effect.scoped(Layer.build(Layer.fresh(gatewayLayer().pipe(Layer.provide(settingsWith(port.port))))))
        )
        assert.strictEqual(failure.code, "instance.port_taken")
        assert.include(failure.message, `Port ${port.port} on 127.0.0.1 is used by another program`)
      })
    )
  })
})
