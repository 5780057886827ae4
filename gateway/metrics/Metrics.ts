/**
 * `GET /metrics` in Prometheus' text format, for a token with the scope `read` (or for everybody on this machine, where
 * `telemetry.openMetrics` says so). Counters begin when the gateway does, those of actors when their process does.
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as HttpRouter from "effect/http/HttpRouter"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Metric from "effect/Metric"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import { METRICS_SUBJECTS } from "../../contract/Subjects.ts"
import { Bus } from "../../kernel/Bus.ts"
import { COUNTED, counterName, CountsReport } from "../../kernel/Counts.ts"
import { advance, emptyQueue, QUEUE_TAGS } from "../../kernel/folds/JobQueue.ts"
import { everything } from "../../kernel/History.ts"
import { Settings } from "../../kernel/Settings.ts"
import { demand } from "../Access.ts"
import { countsOf } from "../calls/QueueCounts.ts"
import { actorsOf } from "../Health.ts"
import { answered } from "../Rest.ts"
import { usage } from "../limits/Usage.ts"
import { VERSION } from "../Version.ts"
import { followLog } from "./LogMetrics.ts"
import { makeRegistry, type Registry } from "./Registry.ts"
import { makeTotals, type Totals } from "./Totals.ts"

const decodeReport = Schema.decodeUnknownEffect(Schema.fromJsonString(CountsReport))

const MEANS = {
  handled: "Events that an actor has settled",
  failed: "Failures of an actor on an event",
  retried: "Events that were given back to be tried again",
  dead: "Events that were given up"
} as const

/** How long one look at the bus may take; what is missing then is left out. */
const PATIENCE = "2 seconds"

/** What is read when somebody asks: how things are now. */
const present = Effect.fnUntraced(function* (totals: Totals, began: number) {
  const bus = yield* Bus
  const now = makeRegistry()
  now.set("voxbus_info", "Version of the gateway", { version: VERSION }, 1)
  now.set("voxbus_uptime_seconds", "Since the gateway began", {}, ((yield* Clock.currentTimeMillis) - began) / 1000)
  now.set("voxbus_process_resident_bytes", "Memory of the gateway's process", {}, process.memoryUsage.rss())
  const { user, system } = process.cpuUsage()
  now.count("voxbus_process_cpu_seconds_total", "Processor time of the gateway's process", {}, (user + system) / 1e6)
  const held = usage()
  now.set("voxbus_sockets", "Open WebSockets and event streams", {}, held.sockets)
  now.set("voxbus_uploads", "Files on their way", {}, held.uploads)
  for (const [actor, counts] of totals.byActor())
    for (const each of COUNTED) now.count(counterName(each), MEANS[each], { actor }, counts[each])
  // Measured by the launcher, in this process.
  for (const metric of yield* Metric.snapshot) {
    const actor = metric.attributes?.["actor"]
    if (metric.type === "Gauge" && metric.id.startsWith("voxbus_lag_") && typeof actor === "string")
      now.set(metric.id, "Work that waits for an actor, or that it holds", { actor }, Number(metric.state.value))
  }
  const health = actorsOf.pipe(
    Effect.map((actors) => {
      for (const { actor, status } of actors)
        now.set(
          "voxbus_actor_up",
          "1: ready, 0.5: degraded or starting, 0: down",
          { actor },
          status === "ready" ? 1 : status === "down" ? 0 : 0.5
        )
    })
  )
  const letters = bus.count("DLQ", "dlq.>").pipe(
    Effect.map((subjects) => {
      const byActor = new Map<string, number>()
      for (const [subject, count] of subjects) {
        const actor = subject.split(".")[1] ?? ""
        byActor.set(actor, (byActor.get(actor) ?? 0) + count)
      }
      for (const [actor, count] of byActor) now.set("voxbus_dead_letters", "Letters in the dead letter stream", { actor }, count)
    })
  )
  const jobs = everything("call", QUEUE_TAGS, 1).pipe(
    Effect.map((events) => {
      for (const [state, count] of Object.entries(countsOf(advance(emptyQueue, events))))
        now.set("voxbus_jobs", "Jobs of the queue of calls", { state }, count)
    })
  )
  yield* Effect.forEach([health, letters, jobs], (look) => look.pipe(Effect.timeout(PATIENCE), Effect.ignore), {
    concurrency: "unbounded",
    discard: true
  })
  return now.text()
})

const scrape = (log: Registry, totals: Totals, began: number) =>
  Effect.gen(function* () {
    const { telemetry } = yield* Settings.current
    if (!telemetry.openMetrics) yield* demand("read")
    return HttpServerResponse.text((yield* present(totals, began)) + log.text(), {
      contentType: "text/plain; version=0.0.4; charset=utf-8",
      headers: { "cache-control": "no-store" }
    })
  })

export const metricsRoute = HttpRouter.use((router) =>
  Effect.gen(function* () {
    const services = yield* Effect.context<Bus | Settings>()
    const bus = yield* Bus
    const began = yield* Clock.currentTimeMillis
    const log = makeRegistry()
    const totals = makeTotals()
    yield* Effect.forkScoped(followLog(bus, log))
    const reports = yield* bus.listen(METRICS_SUBJECTS)
    yield* reports.pipe(
      Stream.mapEffect(({ data }) => Effect.option(decodeReport(new TextDecoder().decode(data)))),
      Stream.runForEach((report) => Effect.sync(() => (report._tag === "Some" ? totals.take(report.value) : undefined))),
      Effect.forkScoped
    )
    yield* router.add("GET", "/metrics", () => answered(Effect.provide(scrape(log, totals, began), services)))
  })
)
