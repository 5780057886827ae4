/**
 * A process that computes on leased cores, for `cores.test.ts`: prints a line when it got threads and when it gave them
 * back, with the monotonic time of the machine. Arguments: name, lane, threads wanted, rounds, milliseconds a round.
 */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { Cores } from "../../kernel/Cores.ts"
import { hostCores } from "../../kernel/HostCores.ts"
import { Settings } from "../../kernel/Settings.ts"

const [name = "", lane = "", want = "1", rounds = "1", ms = "20"] = process.argv.slice(2)
const say = (what: string, threads: number) => process.stdout.write(`${process.hrtime.bigint()} ${name} ${what} ${threads}\n`)

const round = Effect.flatMap(Cores, (cores) =>
  cores.lease({ holder: name, lane: lane === "batch" ? "batch" : "interactive", want: Number(want) }, (lease) =>
    Effect.gen(function* () {
      say("got", lease.threads)
      yield* Effect.sleep(Number(ms))
      if (lease.threads > 1) {
        say("shrunk", 1)
        yield* lease.shrink(1)
        yield* Effect.sleep(Number(ms) / 2)
      }
      say("gave", 0)
    })
  )
)

await Effect.runPromise(
  round.pipe(Effect.repeat({ times: Number(rounds) - 1 }), Effect.provide(hostCores.pipe(Layer.provide(Settings.layer()))), Effect.scoped)
)
process.exit(0)
