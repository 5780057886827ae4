/** A short run of `npm run fuzz`: whatever comes in, every answer is a documented one and nothing hangs. */
import { assert, describe, layer } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { GatewayAddress } from "../gateway/index.ts"
import { serve } from "../kernel/Commands.ts"
import { fuzzGateway, standIns } from "./support/fuzzGateway.ts"
import { unlimitedGateway } from "./support/gateway.ts"

describe("the gateway and nonsense", () => {
  layer(unlimitedGateway, { excludeTestServices: true, timeout: 60_000 })((it) => {
    it.effect("0 crashes, 0 hangs, 0 answers that are not documented", () =>
      Effect.gen(function* () {
        yield* serve(standIns)
        const { url, token } = yield* GatewayAddress
        const result = yield* Effect.promise(() => fuzzGateway({ url, token }, { runs: 300, seed: 20_261_125 }))
        assert.deepStrictEqual(result.faults, [])
        assert.deepInclude(result, { crashes: 0, hangs: 0, undocumented: 0 })
        assert.sameMembers(Object.keys(result.byKind), ["http", "multipart", "websocket", "raw"])
      }).pipe(Effect.scoped)
    )
  })
})
