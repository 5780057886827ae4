/**
 * A long call that nobody looks after: two speakers, silence and hold music, killed on the way, ends complete.
 *
 *   node bench/long.ts [--minutes 120] [--kills 2] [--model whisper-base] [--json]
 */
import * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"
import { closeSync, openSync, writeSync } from "node:fs"
import { join } from "node:path"
import { verifyBundle } from "../actors/bundler/Verify.ts"
import { TIMELINE_RATE, Transcript } from "../contract/Events.ts"
import { AddJob } from "../contract/JobCommands.ts"
import type { SessionId } from "../contract/Session.ts"
import { Blobs } from "../kernel/Blobs.ts"
import { Bus } from "../kernel/Bus.ts"
import { call as ask } from "../kernel/Commands.ts"
import { history } from "../kernel/History.ts"
import { wavBytes } from "../kernel/Media.ts"
import { Settings } from "../kernel/Settings.ts"
import { Terminal } from "../kernel/Failure.ts"
import { wordErrorRate } from "../kernel/testkit/WordErrors.ts"
import { reach } from "../launcher/Access.ts"
import { bench } from "./support/Bench.ts"
import { call } from "./support/Fixtures.ts"
import { startInstance } from "./support/Instance.ts"
import { memoryOf, treeOf } from "../kernel/ProcessMemory.ts"
import { round } from "./support/Stats.ts"
import { temporaryFolder } from "./support/Workspace.ts"
import * as Schema from "effect/Schema"

const METHOD = `The generated call of two people (149 s) over and over, after each one 18 s of silence and 18 s of generated hold music: a tenth of the
whole each. As one WAV of 16 kHz through \`voxbus start\`. The whole instance is killed with SIGKILL as often as asked, evenly over the
work, and started again. Counted at the end: chunks with more or fewer than one result, coverage, words against what was said, the
place of the first word of each repetition against the first one's (drift), whether the bundle verifies. Memory (Linux) is the
highest RSS of each process in the first and in the last third, read every second.`

const PAUSE = 18 * TIMELINE_RATE
const NOTES = [262, 330, 392, 523, 440, 349, 294, 392]

/** A plucked melody over a chord. */
const music = Int16Array.from({ length: PAUSE }, (_, i) => {
  const t = i / TIMELINE_RATE
  const wave = (hertz: number) => Math.sin(2 * Math.PI * hertz * t)
  const beat = t * 2.5
  const note = NOTES[Math.floor(beat) % NOTES.length] ?? 262
  const melody = Math.exp(-3 * (beat % 1)) * (wave(note) + 0.5 * wave(2 * note))
  return Math.round(4_000 * (melody + 0.3 * (wave(131) + wave(165) + wave(196))))
})

const bytesOf = (pcm: Int16Array) => new Uint8Array(pcm.buffer, pcm.byteOffset, pcm.byteLength)

/** Writes whole repetitions; memory stays small. Returns where each begins. */
const write = (path: string, speech: Int16Array, seconds: number) => {
  const silence = new Int16Array(PAUSE)
  const length = speech.length + 2 * PAUSE
  const times = Math.max(1, Math.round((seconds * TIMELINE_RATE) / length))
  const header = wavBytes(new Int16Array(0), TIMELINE_RATE, 1).slice(0, 44)
  const view = new DataView(header.buffer)
  view.setUint32(4, 36 + times * length * 2, true)
  view.setUint32(40, times * length * 2, true)
  const file = openSync(path, "w")
  writeSync(file, header)
  for (let n = 0; n < times; n += 1) for (const part of [speech, silence, music]) writeSync(file, bytesOf(part))
  closeSync(file)
  return Array.from({ length: times }, (_, n) => n * length)
}

const decodeTranscript = Schema.decodeUnknownEffect(Schema.fromJsonString(Transcript))

interface Seen {
  settled: number
  readonly at: number
  readonly rss: Readonly<Record<string, number>>
}

/** How far the call is, and what the processes hold. */
const look = Effect.fnUntraced(function* (session: SessionId, pid: number, begun: number) {
  const bus = yield* Bus
  const settled = (yield* bus.count("CALLS", `text.*.call.${session}.*`)).size
  const ready = (yield* bus.count("CALLS", `bundle.ready.call.${session}.>`)).size > 0
  const rss = process.platform === "linux" ? Object.fromEntries(memoryOf(treeOf(pid)).map(({ name, rss }) => [name, rss])) : {}
  return { ready, seen: { settled, at: performance.now() - begun, rss } satisfies Seen }
})

/** The highest of each process in a part of what was seen. */
const highest = (seen: ReadonlyArray<Seen>, from: number, to: number) => {
  const peaks: Record<string, number> = {}
  for (const { rss } of seen.slice(Math.floor(seen.length * from), Math.ceil(seen.length * to)))
    for (const [name, mb] of Object.entries(rss)) peaks[name] = Math.max(peaks[name] ?? 0, mb)
  return peaks
}

const verdict = Effect.fnUntraced(function* (session: SessionId, starts: ReadonlyArray<number>, said: string) {
  const log = yield* history("call", session, [
    "audio.completed",
    "audio.normalized",
    "text.transcribed",
    "text.rejected",
    "transcript.completed",
    "bundle.ready"
  ])
  const events = log.map(({ event }) => event)
  const completed = events.find((event) => event._tag === "audio.completed")
  const done = events.find((event) => event._tag === "transcript.completed")
  const bundle = events.find((event) => event._tag === "bundle.ready")
  if (completed === undefined || done === undefined || bundle === undefined)
    return yield* new Terminal({ code: "internal", message: "The call ended without a transcript." })
  const results = new Map<number, number>()
  for (const event of events)
    if (event._tag === "text.transcribed" || event._tag === "text.rejected") results.set(event.unit, (results.get(event.unit) ?? 0) + 1)
  const bytes = yield* (yield* Blobs).get({ mode: "call", session }, done.transcript)
  const transcript = yield* decodeTranscript(new TextDecoder().decode(bytes)).pipe(
    Effect.mapError((cause) => new Terminal({ code: "event.invalid", message: "The transcript cannot be read.", cause }))
  )
  const words = transcript.segments.flatMap((segment) => segment.words)
  const firsts = starts.map((start) => (words.find((word) => word.start >= start - TIMELINE_RATE / 2)?.start ?? 0) - start)
  const reasons = events.flatMap((event) => (event._tag === "text.rejected" ? [event.reason] : []))
  const checked = yield* verifyBundle(join(bundle.folder, bundle.bundle))
  return {
    samples: completed.samples,
    chunks: completed.chunks,
    chunksWithoutOneResult: Array.from({ length: completed.chunks }, (_, n) => results.get(n + 1) ?? 0).filter((count) => count !== 1)
      .length,
    coverage: round(done.coverage.ratio, 4),
    gaps: done.coverage.gaps.length,
    rejected: Object.fromEntries([...new Set(reasons)].map((reason) => [reason, reasons.filter((each) => each === reason).length])),
    wordErrorRate: round(wordErrorRate(starts.map(() => said).join(" "), transcript.text), 4),
    driftMs: {
      first: round((firsts[0] ?? 0) / 16, 1),
      last: round((firsts.at(-1) ?? 0) / 16, 1),
      widest: round((Math.max(...firsts) - Math.min(...firsts)) / 16, 1)
    },
    bundleVerifies: checked.ok
  }
})

bench({
  name: "long",
  method: METHOD,
  options: {
    minutes: { default: 120, means: "length of the call" },
    kills: { default: 2, means: "how often everything is killed" },
    model: { default: "whisper-base", means: "Whisper model" }
  },
  run: Effect.fnUntraced(function* ({ minutes, kills, model }, say) {
    const { session: config } = yield* Settings
    const fixture = yield* call
    const path = join(yield* temporaryFolder("long"), "long.wav")
    const starts = write(path, fixture.pcm, minutes * 60)
    const written = starts.length * (fixture.pcm.length + 2 * PAUSE)
    say(`  ${round(written / TIMELINE_RATE / 60)} minutes, ${starts.length} repetitions`)
    const expected = written / TIMELINE_RATE / 24
    const begun = performance.now()
    const seen: Array<Seen> = []
    let session: SessionId | undefined
    for (let round_ = 0; round_ <= kills; round_ += 1) {
      const until = round_ === kills ? Infinity : (expected * (round_ + 1)) / (kills + 1)
      const finished = yield* Effect.gen(function* () {
        const instance = yield* startInstance()
        const services = yield* reach([])
        return yield* Effect.gen(function* () {
          if (session === undefined) {
            const asked = { path, config: { ...config, transcriber: { ...config.transcriber, model } } }
            session = (yield* ask(AddJob, asked)).session
          }
          const job = session
          const last = yield* look(job, instance.pid, begun).pipe(
            Effect.tap((now) => Effect.sync(() => void seen.push(now.seen))),
            Effect.repeat({ until: (now) => now.ready || now.seen.settled >= until, schedule: Schedule.spaced("1 second") })
          )
          say(
            `  ${round(last.seen.at / 1000)} s: ${last.seen.settled} chunks have ended${last.ready ? ", the bundle is ready" : "; SIGKILL"}`
          )
          if (!last.ready) {
            process.kill(instance.pid, "SIGKILL")
            return undefined
          }
          return { job, result: yield* verdict(job, starts, fixture.text) }
        }).pipe(Effect.provide(services))
      }).pipe(Effect.scoped)
      if (finished === undefined) continue
      const seconds = (performance.now() - begun) / 1000
      const { result } = finished
      const memory = { firstThirdMB: highest(seen, 0, 1 / 3), lastThirdMB: highest(seen, 2 / 3, 1) }
      say(`\n  ${round(seconds)} s, ${round(seconds / (written / TIMELINE_RATE), 3)} of real time, restarts included`)
      say(`  ${JSON.stringify(result)}`)
      say(`  samples written ${written}, on the timeline ${result.samples}, difference ${result.samples - written}`)
      say(`  RSS, MB: ${JSON.stringify(memory)}`)
      return { audioSeconds: written / TIMELINE_RATE, seconds: round(seconds), samplesLost: written - result.samples, ...result, memory }
    }
    return yield* new Terminal({ code: "internal", message: "The call did not end." })
  })
})
