/**
 * P7: `voxbus start` until it is ready, and the memory that all of it holds.
 *
 *   node bench/start.ts [--runs 5] [--json]
 */
import * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"
import * as Schema from "effect/Schema"
import { createServer } from "node:net"
import { Terminal } from "../kernel/Failure.ts"
import { reach } from "../launcher/Access.ts"
import { ACTORS } from "../launcher/Registry.ts"
import { bench } from "./support/Bench.ts"
import { measuredCall } from "./support/Calls.ts"
import { call, questions } from "./support/Fixtures.ts"
import { startInstance } from "./support/Instance.ts"
import { memoryOf, type ProcessMemory, treeOf } from "../kernel/ProcessMemory.ts"
import { round, show, spread, sum } from "./support/Stats.ts"
import { conversation } from "./support/Talk.ts"
import { temporaryFolder } from "./support/Workspace.ts"

const METHOD = `\`voxbus start\` on a fresh home with the models on the disk, spawned as a command; "ready" is its line on standard output,
"health" the first answer of /health, "healthy" the first that lists all six actors as ready, all from the spawn. The first run is not counted: it reads the models
into the page cache. Memory (Linux) is summed over the process and all its descendants, idle after the start, and idle after
one turn and one call of 149 s. PSS divides shared pages by the processes that share them: its sum is what Voxbus costs.`

const SECOND = 1_000
/** Long enough for what gives memory back when it is idle; milliseconds. */
const SETTLE = 5_000

const freePort = Effect.callback<number, Terminal>((resume) => {
  const server = createServer()
  server.once("error", (cause) => resume(Effect.fail(new Terminal({ code: "instance.port_taken", message: cause.message }))))
  server.listen(0, "127.0.0.1", () => {
    const address = server.address()
    server.close(() => resume(Effect.succeed(typeof address === "object" && address !== null ? address.port : 0)))
  })
})

const Health = Schema.Struct({ actors: Schema.Array(Schema.Struct({ status: Schema.String })) })
const decodeHealth = Schema.decodeUnknownSync(Schema.fromJsonString(Health))

/** Milliseconds until `/health` answers with so many actors ready. */
const healthy = (port: number, actors: number) => {
  const begun = performance.now()
  const ask = Effect.tryPromise(async () => {
    const answer = await fetch(`http://127.0.0.1:${port}/health`)
    return decodeHealth(await answer.text()).actors.filter(({ status }) => status === "ready").length
  })
  return ask.pipe(
    Effect.orElseSucceed(() => -1),
    Effect.repeat({ until: (ready) => ready >= actors, schedule: Schedule.spaced("10 millis") }),
    Effect.map(() => performance.now() - begun)
  )
}

interface Start {
  readonly readyMs: number
  readonly healthMs: number
  readonly healthyMs: number
}

const startOnce = Effect.gen(function* () {
  const home = yield* temporaryFolder("start")
  const port = yield* freePort
  const [{ readyMs }, healthMs, healthyMs] = yield* Effect.all(
    [startInstance({ port, env: { VOXBUS_HOME: home } }), healthy(port, 0), healthy(port, ACTORS.length)],
    { concurrency: "unbounded" }
  )
  const start: Start = { readyMs, healthMs, healthyMs }
  return start
}).pipe(Effect.scoped)

const total = (processes: ReadonlyArray<ProcessMemory>) => ({
  pssMB: round(sum(processes.map(({ pss }) => pss))),
  rssMB: round(sum(processes.map(({ rss }) => rss))),
  processes
})

const print = (title: string, { pssMB, rssMB, processes }: ReturnType<typeof total>, say: (line: string) => void) => {
  say(`\n  memory ${title}: PSS ${pssMB} MB, sum of RSS ${rssMB} MB`)
  for (const { name, pss, rss, anonymous } of processes.toSorted((a, b) => b.pss - a.pss)) {
    say(
      `    ${name.padEnd(24)} PSS ${String(pss).padStart(6)} MB (${String(anonymous).padStart(6)} MB anonymous)   RSS ${String(rss).padStart(6)} MB`
    )
  }
}

bench({
  name: "start",
  method: METHOD,
  options: { runs: { default: 5, means: "counted starts" }, memory: { default: true, means: "measure memory as well" } },
  run: Effect.fnUntraced(function* ({ runs, memory }, say) {
    const speech = yield* call
    const asked = yield* questions(1)
    const starts: Array<Start> = []
    for (let run = 0; run <= runs; run += 1) {
      const start = yield* startOnce
      if (run > 0) starts.push(start)
      const { readyMs, healthMs, healthyMs } = start
      const [ready, health, all] = [readyMs, healthMs, healthyMs].map((ms) => round(ms / SECOND, 2))
      say(`  ${run === 0 ? "warm-up" : `run ${run}`}: ready ${ready} s, health ${health} s, healthy ${all} s`)
    }
    const seconds = (of: (start: Start) => number) =>
      spread(
        starts.map(of).map((ms) => ms / SECOND),
        2
      )
    const times = {
      readySeconds: seconds(({ readyMs }) => readyMs),
      healthSeconds: seconds(({ healthMs }) => healthMs),
      healthySeconds: seconds(({ healthyMs }) => healthyMs)
    }
    say(`\n  ready ${show(times.readySeconds, "s")}, health ${show(times.healthSeconds, "s")}, healthy ${show(times.healthySeconds, "s")}`)
    if (!memory || process.platform !== "linux") return { runs, ...times }

    const instance = yield* startInstance()
    const here = Effect.sync(() => total(memoryOf(treeOf(instance.pid)))).pipe(Effect.delay(SETTLE))
    const started = yield* here
    print("after the start", started, say)
    yield* conversation(instance, asked, { listen: false, onTurn: () => undefined })
    yield* measuredCall(speech.path).pipe(Effect.provide(yield* reach([])))
    const used = yield* here
    print("after one turn and one call", used, say)
    return { runs, ...times, memoryAfterStart: started, memoryAfterUse: used }
  })
})
