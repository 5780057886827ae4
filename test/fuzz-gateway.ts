/**
 * Thousands of bad requests to a gateway over a real bus: `npm run fuzz -- --runs 10000 --seed 1`. Prints the counts as
 * JSON; exit code 1 when anything crashed, hung or was answered in a way that is not documented.
 */
import * as Effect from "effect/Effect"
import { parseArgs } from "node:util"
import { GatewayAddress } from "../gateway/index.ts"
import { serve } from "../kernel/Commands.ts"
import { logLayer } from "../kernel/Log.ts"
import { fuzzGateway, standIns } from "./support/fuzzGateway.ts"
import { unlimitedGateway } from "./support/gateway.ts"

const { values } = parseArgs({ options: { runs: { type: "string", default: "2000" }, seed: { type: "string", default: "1" } } })

const program = Effect.gen(function* () {
  yield* serve(standIns)
  const { url, token } = yield* GatewayAddress
  return yield* Effect.promise(() => fuzzGateway({ url, token }, { runs: Number(values.runs), seed: Number(values.seed) }))
}).pipe(Effect.scoped, Effect.provide(unlimitedGateway), Effect.provide(logLayer("Error", "text")))

const began = performance.now()
const result = await Effect.runPromise(program)
process.stdout.write(`${JSON.stringify({ ...result, seconds: Math.round((performance.now() - began) / 100) / 10 })}\n`)
process.exit(result.crashes + result.hangs + result.undocumented > 0 ? 1 : 0)
