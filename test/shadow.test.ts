/** A shadow works beside its actor and leaves no trace in a session; a slow transcriber is seen, and drops nothing. */
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import { type ChildProcess, spawn } from "node:child_process"
import { once } from "node:events"
import { ActorsStatus, CompareActor, type Comparison } from "../contract/ActorCommands.ts"
import { DeleteSession } from "../contract/SessionCommands.ts"
import { Bus } from "../kernel/Bus.ts"
import { decode } from "../kernel/Envelope.ts"
import { runCall } from "../launcher/Call.ts"
import { type BusOf, busOf, until } from "./support/bus.ts"
import { audit, testkitConfig, toneFile } from "./support/load.ts"
import { MAIN, type Running, startProgram, TESTKIT_ENGINES } from "./support/program.ts"

const SLOW_MS = 3_000
const configOf = (ms: number) => ({ ...testkitConfig, transcriber: { ...testkitConfig.transcriber, model: `slow-${ms}` } })

let voxbus: Running
let bus: BusOf
const shadows: Array<ChildProcess> = []

beforeAll(async () => {
  voxbus = await startProgram({ ...TESTKIT_ENGINES, VOXBUS_LOG_LEVEL: "info" })
  bus = await busOf(voxbus)
})

afterAll(async () => {
  for (const shadow of shadows) shadow.kill("SIGKILL")
  await bus?.close()
  await voxbus?.stop()
})

const calls = (count: number, tones: number, ms: number) =>
  Effect.forEach(
    Array.from({ length: count }, (_, n) => n),
    (n) => runCall({ config: configOf(ms), path: toneFile(n, tones) }, () => Effect.void),
    { concurrency: "unbounded" }
  ).pipe(
    Effect.map((results) => results.map(({ session }) => session)),
    Effect.provide(bus.services),
    Effect.runPromise
  )

const startShadow = async (...args: ReadonlyArray<string>): Promise<ChildProcess> => {
  const child = spawn(process.execPath, [MAIN, "run", "transcriber", "--shadow", ...args], {
    env: { ...voxbus.environment, VOXBUS_LOG_LEVEL: "info" },
    stdio: ["ignore", "ignore", "pipe"]
  })
  shadows.push(child)
  await new Promise<void>((resolve, reject) => {
    let said = ""
    child.stderr?.setEncoding("utf8").on("data", (text: string) => {
      said += text
      if (/\bready\b/.test(said)) resolve()
    })
    child.once("exit", (code) => reject(new Error(`the shadow ended with ${code}: ${said}`)))
  })
  return child
}

describe("a shadow", () => {
  it("gets the same input, changes nothing, and is compared word by word", async () => {
    const shadow = await startShadow("--model", "quick")
    const [session = ""] = await calls(1, 30, SLOW_MS)
    const comparison = await until(async (): Promise<Comparison | undefined> => {
      const found = await bus.ask(CompareActor, { actor: "transcriber" })
      return found.sessions[0] !== undefined && found.sessions[0].waiting === 0 ? found : undefined
    })
    const [compared] = comparison.sessions
    assert.strictEqual(compared?.session, session)
    assert.isAtLeast(compared?.compared ?? 0, 3)
    assert.isAbove(comparison.same, 0)
    assert.deepInclude(comparison, { added: 0, removed: 0 })
    assert.isAtLeast(comparison.pace.actor.p50, SLOW_MS)
    assert.isBelow(comparison.pace.shadow.p50, comparison.pace.actor.p50, "the shadow's model is the quick one")

    const chunks = (await bus.events(`audio.normalized.call.${session}.>`)).length
    assert.strictEqual((await bus.events(`text.*.call.${session}.>`)).length, chunks, "one end for each chunk, and no more")
    for (const { event } of await bus.events(`text.*.call.${session}.>`)) assert.strictEqual(event.model, `slow-${SLOW_MS}`)

    const printed = await voxbus.run("compare", "transcriber", session)
    assert.strictEqual(printed.code, 0, printed.stderr)
    assert.match(printed.stdout, /words: \d+ the same, 0 only the shadow's/)
    assert.strictEqual((await voxbus.run("run", "bundler", "--shadow")).code, 2, "what writes files has no shadow")

    const left = once(shadow, "exit")
    shadow.kill("SIGTERM")
    await left
    await bus.ask(DeleteSession, { session })
    assert.deepStrictEqual((await bus.ask(CompareActor, { actor: "transcriber" })).sessions, [], "deleted with its session")
  })
})

describe("a transcriber that falls behind", () => {
  it("is seen on the bus and in the status, and drops nothing", async () => {
    const levels: Array<string> = []
    const watching = Effect.gen(function* () {
      const log = (yield* Bus).tail("HOST", { filters: ["lag.changed.host.transcriber"], from: "new" })
      yield* log.pipe(
        Stream.mapEffect(decode),
        Stream.runForEach((event) => Effect.sync(() => event._tag === "lag.changed" && levels.push(event.level)))
      )
    }).pipe(Effect.provide(bus.services), Effect.runFork)
    // Eight chunks of seven seconds each, four at a time: the second four wait for longer than five.
    const working = calls(2, 30, 7_000)
    await until(async () => (levels.includes("behind") || levels.includes("far-behind") ? true : undefined))
    const { actors } = await bus.ask(ActorsStatus, {})
    assert.include(["behind", "far-behind"], actors.find(({ actor }) => actor === "transcriber")?.level)
    const sessions = await working
    await until(async () => (levels.at(-1) === "ok" ? true : undefined))
    const found = await audit(sessions).pipe(Effect.provide(bus.services), Effect.runPromise)
    assert.deepStrictEqual(found.lost, [])
    assert.deepStrictEqual(found.duplicated, [])
    assert.strictEqual(found.dead, 0)
    watching.interruptUnsafe()
  })
})
