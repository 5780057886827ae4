/** Every actor is replaced in turn while people talk: no turn is lost, none is answered twice. */
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import { ReplaceActor } from "../contract/ActorCommands.ts"
import { call } from "../kernel/Commands.ts"
import { NAMES } from "../launcher/Registry.ts"
import { type BusOf, busOf } from "./support/bus.ts"
import { audit, turn } from "./support/load.ts"
import { type Running, startProgram, TESTKIT_ENGINES } from "./support/program.ts"

const TURNS = 200
const AT_ONCE = 3

let voxbus: Running
let bus: BusOf

beforeAll(async () => {
  voxbus = await startProgram({ ...TESTKIT_ENGINES, VOXBUS_ISOLATE: "all", VOXBUS_KEEP_CONVERSATIONS: "true", VOXBUS_LOG_LEVEL: "info" })
  bus = await busOf(voxbus)
})

afterAll(async () => {
  await bus?.close()
  await voxbus?.stop()
})

describe("replacing every actor under load", () => {
  it(`loses none of ${TURNS} turns and doubles none`, async () => {
    const replacing = { done: false }
    const replacements = Effect.forEach(NAMES, (actor) => call(ReplaceActor, { actor }, { timeoutMs: 60_000 })).pipe(
      Effect.ensuring(Effect.sync(() => (replacing.done = true)))
    )
    let next = 0
    /** Talks until all turns are done and nobody is being replaced any more. */
    const talk = Effect.gen(function* () {
      const done: Array<{ readonly session: string; readonly ms: number }> = []
      while (next < TURNS || !replacing.done) {
        done.push(yield* turn(next++ % 50))
        // A breath: the new processes want to start, too.
        yield* Effect.sleep("100 millis")
      }
      return done
    })
    const { turns, replaced, found } = await Effect.gen(function* () {
      const talking = yield* Effect.all(
        Array.from({ length: AT_ONCE }, () => talk),
        { concurrency: AT_ONCE }
      ).pipe(Effect.forkChild)
      const replaced = yield* replacements
      const turns = (yield* Fiber.join(talking)).flat()
      return { turns, replaced, found: yield* audit(turns.map(({ session }) => session)) }
    }).pipe(Effect.timeout("200 seconds"), Effect.scoped, Effect.provide(bus.services), Effect.runPromise)

    const slowest = Math.round(Math.max(...turns.map(({ ms }) => ms)))
    console.info(`${turns.length} turns, ${found.events} events, slowest turn ${slowest} ms`)
    assert.isAtLeast(turns.length, TURNS)
    assert.deepStrictEqual(found.lost, [])
    assert.deepStrictEqual(found.duplicated, [])
    assert.strictEqual(found.dead, 0)
    assert.deepStrictEqual(
      replaced.map(({ actor }) => actor),
      [...NAMES]
    )
    for (const { actor, from, to } of replaced) {
      assert.notStrictEqual(from, to, actor)
      assert.throws(() => process.kill(from, 0), /ESRCH/, `the old ${actor} has left`)
    }
  })
})
