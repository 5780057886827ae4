/**
 * Thousands of malformed audio files through the decoder: `npm run fuzz:audio -- [--seed N] [--count N]`. Prints how they
 * ended; exit code 1 when one ended in anything but samples or a documented error. A crash or a hang is one too: of this process.
 */
import * as Effect from "effect/Effect"
import { parseArgs } from "node:util"
import { fuzzAudio } from "./support/fuzz.ts"

const { values } = parseArgs({ options: { seed: { type: "string", default: "1" }, count: { type: "string", default: "5000" } } })
const started = performance.now()
const result = await Effect.runPromise(fuzzAudio(Number(values.seed), Number(values.count)))
process.stdout.write(
  `${JSON.stringify({ ...result, seconds: Math.round((performance.now() - started) / 100) / 10, rssMB: Math.round(process.memoryUsage().rss / 1e6) })}\n`
)
if (result.faults.length > 0) process.exitCode = 1
