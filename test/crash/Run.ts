/**
 * One run: start the program, put it to work, kill its parts, let it finish, read what it left.
 */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Stream from "effect/Stream"
import { createHash } from "node:crypto"
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { verifyBundle } from "../../actors/bundler/Verify.ts"
import type { Logged } from "../../kernel/Actor.ts"
import { Bus } from "../../kernel/Bus.ts"
import type { Sabotage } from "../../kernel/CrashPoints.ts"
import { DEAD } from "../../kernel/DeadLetters.ts"
import { Terminal } from "../../kernel/Failure.ts"
import { credentials, OPERATOR } from "../../kernel/nats/Credentials.ts"
import { busLayer, credentialsFile } from "../../launcher/BusAccess.ts"
import { findInstance } from "../../launcher/Instance.ts"
import { type Quantiles, quantiles } from "../../bench/support/Stats.ts"
import { audit, type Fault } from "./Audit.ts"
import { makeInstance } from "./Instance.ts"
import { killAll, recoveries } from "./Killer.ts"
import { makeWaves } from "./Waves.ts"
import { readLog, startWorkload } from "./Workload.ts"

export interface Options {
  readonly seed: number
  readonly kills: number
  readonly serverKills: number
  /** Breaks the runtime: the run must then find faults. */
  readonly sabotage?: Sabotage
  /** Milliseconds without any event after which the rest counts as lost. */
  readonly patienceMs?: number
  readonly say?: (text: string) => void
}

export interface Result {
  readonly kills: number
  readonly serverKills: number
  readonly events: number
  readonly lost: number
  readonly duplicated: number
  readonly reordered: number
  readonly recoveryMs: Quantiles
  /** Of the kills of actors during whose recovery neither the launcher nor the server was killed. */
  readonly recoveryAloneMs: Quantiles
}

export interface Report {
  readonly result: Result
  readonly faults: ReadonlyArray<Fault>
  readonly sessions: number
  readonly seconds: number
  /** The state of the run, kept when there were faults; empty otherwise. */
  readonly folder: string
}

const CALLS_AT_ONCE = 5
const TURNS_AT_ONCE = 8

/** Every file of every bundle is what its event says, the bundle verifies, and nothing else lies in the folder. */
const auditBundles = Effect.fnUntraced(function* (log: ReadonlyArray<Logged>, outputFolder: string) {
  const faults: Array<Fault> = []
  const folders = new Set<string>()
  for (const { event } of log) {
    if (event._tag !== "bundle.ready") continue
    folders.add(event.folder)
    for (const file of event.files) {
      const bytes = yield* Effect.option(Effect.try({ try: () => readFileSync(join(event.folder, file.name)), catch: () => undefined }))
      const whole = bytes._tag === "Some" && createHash("sha256").update(bytes.value).digest("hex") === file.sha256
      if (!whole) faults.push({ kind: "lost", session: event.session, what: `${file.name} of its bundle` })
    }
    const verified = yield* Effect.option(verifyBundle(join(event.folder, event.bundle)))
    if (verified._tag === "None" || !verified.value.ok)
      faults.push({ kind: "lost", session: event.session, what: "its bundle does not verify" })
  }
  const there = yield* Effect.sync(() => {
    try {
      return readdirSync(outputFolder)
    } catch {
      return []
    }
  })
  for (const name of there)
    if (!folders.has(join(outputFolder, name)))
      faults.push({ kind: "duplicated", session: "", what: `the folder ${name} belongs to no bundle` })
  return faults
})

/** Dead letters, and audio that is stored twice. */
const auditStores = Effect.gen(function* () {
  const bus = yield* Bus
  const letters = yield* Stream.runCollect(bus.read("DLQ", { filters: [">"] }))
  const blobs = yield* Effect.forEach(["BLOBS_CALLS", "BLOBS_ASSISTANT"] as const, (stream) => bus.count(stream, ">"))
  const faults: ReadonlyArray<Fault> = [
    ...letters.map((letter): Fault => ({
      kind: "lost",
      session: "",
      what: `dead letter ${letter.subject}: ${letter.headers[DEAD.code] ?? ""} ${letter.headers[DEAD.message] ?? ""}`
    })),
    ...blobs.flatMap((counts) =>
      [...counts].filter(([, count]) => count > 1).map(([subject]): Fault => ({ kind: "duplicated", session: "", what: subject }))
    )
  ]
  return faults
})

/** The bus of an instance, as its operator; found again after every kill. */
export const busOf = (home: string) =>
  Layer.unwrap(
    Effect.gen(function* () {
      const users = yield* credentials(credentialsFile(home), [OPERATOR])
      const url = findInstance(home)?.busUrl ?? ""
      if (url === "") return yield* new Terminal({ code: "bus.unavailable", message: "the instance did not say where its bus is" })
      return busLayer({ url, user: OPERATOR, password: users[OPERATOR] ?? "", name: "crash" })
    })
  )

export const runCrash = Effect.fnUntraced(function* (options: Options) {
  const say = options.say ?? (() => undefined)
  const startedAt = performance.now()
  const folder = mkdtempSync(join(tmpdir(), "voxbus-crash-"))
  const instance = makeInstance(folder, options.sabotage)
  const waves = makeWaves(join(folder, "waves"), options.seed)
  const work = Effect.gen(function* () {
    yield* instance.start
    const measured = Effect.gen(function* () {
      const workload = yield* startWorkload({
        waves,
        calls: CALLS_AT_ONCE,
        turns: TURNS_AT_ONCE,
        seed: options.seed,
        outputFolder: instance.outputFolder
      })
      const killed = yield* killAll(instance, workload, {
        ...options,
        progress: (kills) => (kills % 25 === 0 ? say(`${kills} of ${options.kills} kills, ${workload.asked.length} sessions`) : undefined)
      })
      if (!(yield* workload.drain(options.patienceMs ?? 30_000))) say(`${workload.open()} sessions did not come to an end`)
      const log = yield* readLog
      const faults = [...audit(log, workload.asked), ...(yield* auditBundles(log, instance.outputFolder)), ...(yield* auditStores)]
      const count = (kind: Fault["kind"]) => faults.filter((fault) => fault.kind === kind).length
      const recovered = recoveries(killed, log)
      const result: Result = {
        kills: killed.kills.length,
        serverKills: killed.serverKills,
        events: log.length,
        lost: count("lost"),
        duplicated: count("duplicated"),
        reordered: count("reordered"),
        recoveryMs: quantiles(recovered.map(({ ms }) => ms)),
        recoveryAloneMs: quantiles(recovered.filter(({ alone }) => alone).map(({ ms }) => ms))
      }
      return { result, faults, sessions: workload.asked.length }
    }).pipe(Effect.scoped)
    return yield* measured.pipe(Effect.provide(busOf(instance.home)))
  }).pipe(Effect.ensuring(instance.stop))
  const found = yield* work
  const clean = found.faults.length === 0
  if (clean) rmSync(folder, { recursive: true, force: true, maxRetries: 5 })
  const report: Report = { ...found, seconds: (performance.now() - startedAt) / 1000, folder: clean ? "" : folder }
  return report
})
