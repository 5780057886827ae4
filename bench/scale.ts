/**
 * P6: chunks of a call per second with one transcriber process and with two, one thread each.
 *
 *   node bench/scale.ts [--chunks 48] [--runs 2] [--json]
 */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import { spawn } from "node:child_process"
import { fileURLToPath } from "node:url"
import { ulid } from "ulid"
import { type EventOf, TIMELINE_RATE } from "../contract/Events.ts"
import { defaultSessionConfig } from "../contract/Session.ts"
import { sessionFilters } from "../contract/Subjects.ts"
import { Blobs } from "../kernel/Blobs.ts"
import { Bus } from "../kernel/Bus.ts"
import { encode, logged } from "../kernel/Envelope.ts"
import { Terminal } from "../kernel/Failure.ts"
import { Settings } from "../kernel/Settings.ts"
import { startHost } from "../launcher/Host.ts"
import { bench } from "./support/Bench.ts"
import { call } from "./support/Fixtures.ts"
import { ratios, round, show, spread } from "./support/Stats.ts"

const METHOD = `A bus without actors, and workers as \`voxbus run transcriber\` starts them. Each worker counts one core of its own
(VOXBUS_CORES=1), so it makes one pass at a time with one thread, whatever the machine; the budget they share has as many
cores as there are workers at most. Chunks of about 20 s of the generated call, model base, beam 5, word times, are put on the bus
at once; the time is from the first audio.normalized to the last text.* of the log. One and two workers alternate; the second
worker stops and starts, and every worker's first chunk is not in the measured ones.`

/** The launcher's own worker: `voxbus run` without the command line. */
const WORKER = fileURLToPath(new URL("../launcher/worker.ts", import.meta.url))
/** Seconds of a chunk; all the same, so that the work divides evenly. */
const CHUNK = 20

/** A worker; returns when it is ready. Its standard input is its life line. */
const worker = Effect.fnUntraced(function* (busUrl: string) {
  const child = yield* Effect.acquireRelease(
    Effect.sync(() =>
      spawn(process.execPath, ["--optimize-for-size", WORKER, "transcriber"], {
        env: { ...process.env, VOXBUS_INSTANCE_BUS: busUrl, VOXBUS_CORES: "1", VOXBUS_LOG_LEVEL: "info", VOXBUS_LOG_FORMAT: "json" },
        stdio: ["pipe", "ignore", "pipe"]
      })
    ),
    (process) =>
      Effect.callback<void>((done) => {
        if (process.exitCode !== null || process.signalCode !== null) return done(Effect.void)
        process.once("exit", () => done(Effect.void))
        process.kill("SIGTERM")
      })
  )
  yield* Effect.callback<void, Terminal>((resume) => {
    child.once("exit", (code) =>
      resume(Effect.fail(new Terminal({ code: "instance.failed", message: `A worker ended with exit code ${code}.` })))
    )
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      if (text.includes('"message":"ready"')) resume(Effect.void)
    })
  })
})

interface Work {
  readonly pcm: Int16Array
  readonly audio: EventOf<"audio.normalized">["audio"]
}

/** Puts `count` chunks on the bus and waits until all are text. Returns the seconds and the engines' own. */
const transcribeAll = Effect.fnUntraced(function* (pcm: Int16Array, count: number) {
  const bus = yield* Bus
  const blobs = yield* Blobs
  const session = ulid()
  const owner = { mode: "call", session } as const
  const length = CHUNK * TIMELINE_RATE
  const whole = Math.floor(pcm.length / length)
  const works = yield* Effect.forEach(Array.from({ length: whole }), (_, index) => {
    const part = pcm.slice(index * length, (index + 1) * length)
    return Effect.map(blobs.put(owner, new Uint8Array(part.buffer), "audio/x-pcm;rate=16000"), (audio): Work => ({ pcm: part, audio }))
  })
  const events = yield* Effect.forEach(Array.from({ length: count }), (_, index) => {
    const audio = works[index % whole]?.audio
    if (audio === undefined) return Effect.die("the call is shorter than a chunk")
    const span = { start: index * length, end: (index + 1) * length }
    const event: EventOf<"audio.normalized"> = {
      _tag: "audio.normalized",
      v: 1,
      ...owner,
      ...span,
      unit: index + 1,
      audio,
      speech: [span],
      speechRatio: 1,
      peakDbfs: -3,
      config: defaultSessionConfig
    }
    return encode(event, { actor: "bench", cause: "", messageId: `bench:${session}:${index}` })
  })
  yield* Effect.forEach(events, (outgoing) => bus.publish(outgoing), { concurrency: "unbounded", discard: true })
  const seen = yield* bus.tail("CALLS", { filters: sessionFilters("call", session), from: 1 }).pipe(
    Stream.mapEffect(logged),
    Stream.takeUntil(
      (() => {
        let settled = 0
        return ({ event }) => event._tag.startsWith("text.") && ++settled === count
      })()
    ),
    Stream.runCollect
  )
  const times = seen.map(({ time }) => time)
  const compute = seen.reduce((total, { event }) => total + (event._tag === "text.transcribed" ? event.computeMs : 0), 0)
  return { seconds: (Math.max(...times) - Math.min(...times)) / 1000, computeSeconds: compute / 1000 }
})

bench({
  name: "scale",
  method: METHOD,
  options: { chunks: { default: 48, means: "chunks of each measurement" }, runs: { default: 2, means: "rounds of one and two workers" } },
  run: Effect.fnUntraced(function* ({ chunks, runs }, say) {
    const { pcm } = yield* call
    const settings = yield* Settings
    const host = yield* startHost({ kind: "command", actors: [] }).pipe(Effect.provideService(Settings, { ...settings, cores: 2 }))
    const measure = (count: number) => transcribeAll(pcm, count).pipe(Effect.provide(host.services))
    yield* worker(host.busUrl)
    yield* measure(4)
    const one: Array<number> = []
    const two: Array<number> = []
    const compute = { one: 0, two: 0 }
    for (let turn = 1; turn <= runs; turn += 1) {
      const alone = yield* measure(chunks)
      const second = yield* Scope.make()
      yield* worker(host.busUrl).pipe(Effect.provideService(Scope.Scope, second))
      yield* measure(8)
      const both = yield* measure(chunks)
      yield* Scope.close(second, Exit.void)
      one.push(alone.seconds)
      two.push(both.seconds)
      compute.one += alone.computeSeconds
      compute.two += both.computeSeconds
      say(
        `  round ${turn}: one worker ${round(alone.seconds, 2)} s, two workers ${round(both.seconds, 2)} s, scale ${round(alone.seconds / both.seconds, 2)}`
      )
    }
    const speed = (seconds: ReadonlyArray<number>) => spread(seconds.map((each) => (chunks * CHUNK) / each))
    const result = {
      chunks,
      chunkSeconds: CHUNK,
      oneWorkerSeconds: spread(one, 2),
      twoWorkersSeconds: spread(two, 2),
      oneWorkerTimesRealTime: speed(one),
      twoWorkersTimesRealTime: speed(two),
      scale: ratios(one, two),
      /** How much slower a pass computes while another runs: memory bandwidth, or a busy machine. */
      computeSlowdown: round(compute.two / compute.one, 2)
    }
    say(`\n  one worker   ${show(result.oneWorkerSeconds, "s")}, ${show(result.oneWorkerTimesRealTime)} times real time`)
    say(`  two workers  ${show(result.twoWorkersSeconds, "s")}, ${show(result.twoWorkersTimesRealTime)} times real time`)
    say(`  scale ${show(result.scale)}; a pass computes ${result.computeSlowdown} times as long beside another`)
    return result
  })
})
