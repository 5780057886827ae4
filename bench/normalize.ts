/**
 * P8: an hour of call audio decoded, searched for speech, cut into chunks and stored; nothing is transcribed.
 *
 *   node bench/normalize.ts [--runs 2] [--json]
 */
import * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"
import * as Stream from "effect/Stream"
import { defaultSessionConfig } from "../contract/Session.ts"
import { Settings } from "../kernel/Settings.ts"
import { follow, queue, raised } from "../launcher/Call.ts"
import { startHost } from "../launcher/Host.ts"
import { bench } from "./support/Bench.ts"
import { hour } from "./support/Fixtures.ts"
import { memoryOf, rssOf, treeOf } from "../kernel/ProcessMemory.ts"
import { round, show, spread } from "./support/Stats.ts"

const METHOD = `One hour of the generated call as Ogg/Opus through capture and normalizer, each in a process of its own, on a bus whose
log is fsynced. The time is from job.queued to audio.completed of the log. Memory (Linux) is the RSS of each process of the
tree, read every 100 ms: the highest, less what it had when idle before the first hour.`

interface Peak {
  readonly name: string
  readonly idle: number
  peak: number
}

/** The highest RSS of every process while `work` runs. */
const watching = <A, E, R>(peaks: ReadonlyMap<number, Peak>, work: Effect.Effect<A, E, R>) =>
  Effect.raceFirst(
    work,
    Effect.sync(() => {
      for (const [pid, peak] of peaks) peak.peak = Math.max(peak.peak, rssOf(pid))
    }).pipe(Effect.repeat(Schedule.spaced("100 millis")), Effect.andThen(Effect.never))
  )

const normalizeHour = Effect.fnUntraced(function* (path: string) {
  const session = yield* queue({ mode: "call", kind: "import", path, title: "an hour", config: defaultSessionConfig })
  const events = yield* follow("call", session).pipe(
    Stream.tap(({ event }) => (event._tag === "error.raised" ? Effect.fail(raised(event)) : Effect.void)),
    Stream.takeUntil(({ event }) => event._tag === "audio.completed"),
    Stream.runCollect
  )
  const timeOf = (tag: string) => events.find(({ event }) => event._tag === tag)?.time ?? 0
  const chunks = events.filter(({ event }) => event._tag === "audio.normalized").length
  return { seconds: (timeOf("audio.completed") - timeOf("job.queued")) / 1000, chunks }
})

bench({
  name: "normalize",
  method: METHOD,
  options: { runs: { default: 2, means: "hours, one after the other" } },
  run: Effect.fnUntraced(function* ({ runs }, say) {
    const { path, seconds: length } = yield* hour
    const settings = yield* Settings
    const host = yield* startHost({ kind: "command", actors: ["capture", "normalizer"] }).pipe(
      Effect.provideService(Settings, { ...settings, host: { ...settings.host, isolate: "all" } })
    )
    const processes = Effect.sync(() => (process.platform === "linux" ? memoryOf(treeOf(process.pid)) : []))
    const idle = yield* Effect.delay(processes, "2 seconds")
    // Not the benchmark itself, which only watches.
    const peaks = new Map(
      idle.filter(({ pid }) => pid !== process.pid).map(({ pid, name, rss }) => [pid, { name, idle: rss, peak: rss } satisfies Peak])
    )
    const times: Array<number> = []
    let chunks = 0
    for (let run = 1; run <= runs; run += 1) {
      const done = yield* watching(peaks, normalizeHour(path)).pipe(Effect.provide(host.services))
      times.push(done.seconds)
      chunks = done.chunks
      say(`  hour ${run}: ${round(done.seconds, 2)} s, ${chunks} chunks`)
    }
    const seconds = spread(times, 2)
    const memory = [...peaks.values()].map(({ name, idle: before, peak }) => ({
      name,
      idleMB: before,
      peakMB: peak,
      aboveMB: round(peak - before)
    }))
    say(`\n  ${round(length / 60)} minutes: ${show(seconds, "s")}, ${Math.round(length / seconds.median)} times real time`)
    for (const { name, idleMB, peakMB, aboveMB } of memory)
      say(`  ${name.padEnd(14)} idle ${idleMB} MB, at most ${peakMB} MB, ${aboveMB} MB above`)
    return { audioSeconds: round(length), chunks, seconds, memory }
  })
})
