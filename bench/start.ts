/**
 * P7: `voxbus start` until it is ready, and the memory that all of it holds.
 *
 *   node bench/start.ts [--runs 5] [--json]
 */
import * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"
import { createServer } from "node:net"
import { Terminal } from "../kernel/Failure.ts"
import { reach } from "../launcher/Access.ts"
import { bench } from "./support/Bench.ts"
import { measuredCall } from "./support/Calls.ts"
import { call, questions } from "./support/Fixtures.ts"
import { startInstance } from "./support/Instance.ts"
import { memoryOf, type ProcessMemory, treeOf } from "./support/Memory.ts"
import { round, show, spread, sum } from "./support/Stats.ts"
import { conversation } from "./support/Talk.ts"
import { temporaryFolder } from "./support/Workspace.ts"

const METHOD = `\`voxbus start\` on a fresh home with the models on the disk, spawned as a command; "ready" is its line on standard output,
"health" the first answer of /health with status ok, both from the spawn. The first run is not counted: it reads the models
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

/** Milliseconds until `/health` says "ok". */
const healthy = (port: number) => {
  const begun = performance.now()
  return Effect.tryPromise(async () => {
    const answer: { readonly status: string } = JSON.parse(await (await fetch(`http://127.0.0.1:${port}/health`)).text())
    return answer.status
  }).pipe(
    Effect.orElseSucceed(() => "none"),
    Effect.repeat({ until: (status) => status === "ok", schedule: Schedule.spaced("10 millis") }),
    Effect.map(() => performance.now() - begun)
  )
}

const startOnce = Effect.gen(function* () {
  const home = yield* temporaryFolder("start")
  const port = yield* freePort
  const [{ readyMs }, healthMs] = yield* Effect.all([startInstance({ port, env: { VOXBUS_HOME: home } }), healthy(port)], {
    concurrency: "unbounded"
  })
  return { readyMs, healthMs }
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
    const starts: Array<{ readonly readyMs: number; readonly healthMs: number }> = []
    for (let run = 0; run <= runs; run += 1) {
      const start = yield* startOnce
      if (run > 0) starts.push(start)
      say(
        `  ${run === 0 ? "warm-up" : `run ${run}`}: ready ${round(start.readyMs / SECOND, 2)} s, health ${round(start.healthMs / SECOND, 2)} s`
      )
    }
    const readySeconds = spread(
      starts.map(({ readyMs }) => readyMs / SECOND),
      2
    )
    const healthSeconds = spread(
      starts.map(({ healthMs }) => healthMs / SECOND),
      2
    )
    say(`\n  ready ${show(readySeconds, "s")}, health ${show(healthSeconds, "s")}`)
    if (!memory || process.platform !== "linux") return { runs, readySeconds, healthSeconds }

    const instance = yield* startInstance()
    const here = Effect.sync(() => total(memoryOf(treeOf(instance.pid)))).pipe(Effect.delay(SETTLE))
    const started = yield* here
    print("after the start", started, say)
    yield* conversation(instance.gateway, asked, () => undefined)
    yield* measuredCall(speech.path).pipe(Effect.provide(yield* reach([])))
    const used = yield* here
    print("after one turn and one call", used, say)
    return { runs, readySeconds, healthSeconds, memoryAfterStart: started, memoryAfterUse: used }
  })
})
