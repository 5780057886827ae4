import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { createServer } from "node:http"
import { request } from "undici"
import { isLoopback, isOfflineRefusal, networkPolicy } from "./Network.ts"

describe("Network", () => {
  it("knows this machine from others", () => {
    for (const host of ["localhost", "127.0.0.1", "127.9.9.9", "[::1]", "::1"]) assert.isTrue(isLoopback(host), host)
    for (const host of ["127.example.org", "10.0.0.1", "example.org", "0.0.0.0", "localhost.example.org"])
      assert.isFalse(isLoopback(host), host)
  })

  it.live("offline: refuses other machines in undici and in fetch, and lets loopback through", () =>
    Effect.gen(function* () {
      yield* networkPolicy(true)
      const calls: ReadonlyArray<() => Promise<unknown>> = [() => request("http://198.51.100.1/"), () => fetch("http://198.51.100.1/")]
      for (const call of calls) {
        const refusal = yield* Effect.flip(Effect.tryPromise({ try: call, catch: (cause) => cause }))
        assert.isTrue(isOfflineRefusal(refusal), String(refusal))
        assert.include(String(refusal instanceof Error && refusal.cause !== undefined ? refusal.cause : refusal), "198.51.100.1")
      }
      const server = createServer((_, response) => response.end("here"))
      yield* Effect.promise(() => new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve)))
      const address = server.address()
      const port = typeof address === "object" && address !== null ? address.port : 0
      const answer = yield* Effect.promise(() => request(`http://127.0.0.1:${port}/`).then((response) => response.body.text()))
      server.close()
      assert.strictEqual(answer, "here")
    }).pipe(Effect.scoped)
  )
})
