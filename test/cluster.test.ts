/** R7: a cluster of three real nats-servers loses a node in the middle of the work, and the log loses nothing. */
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import { busLayer } from "../launcher/BusAccess.ts"
import { type Cluster, startCluster } from "./support/cluster.ts"
import { audit, call, turn } from "./support/load.ts"
import { type Running, startProgram, TESTKIT_ENGINES } from "./support/program.ts"

let cluster: Cluster
let voxbus: Running

beforeAll(async () => {
  cluster = await startCluster()
  voxbus = await startProgram({ ...TESTKIT_ENGINES, NATS_URL: cluster.url, VOXBUS_LOG_LEVEL: "info" })
}, 90_000)

afterAll(async () => {
  await voxbus?.stop()
  await cluster?.stop()
})

/** Six calls and thirty turns; the node is killed when a quarter of the turns are done. */
const workWhile = (offset: number, harm: () => Promise<void>) =>
  Effect.gen(function* () {
    const calls = yield* Effect.forEach([1, 2, 3, 4, 5, 6], (n) => call(offset + n), { concurrency: 3 }).pipe(Effect.forkChild)
    const killing = yield* Effect.sleep(Duration.millis(1_000)).pipe(Effect.andThen(Effect.promise(harm)), Effect.forkChild)
    const turns = yield* Effect.forEach(
      Array.from({ length: 30 }, (_, n) => n),
      (n) => turn(offset + 10 + n),
      { concurrency: 2 }
    )
    yield* Fiber.join(killing)
    const sessions = [...(yield* Fiber.join(calls)), ...turns.map(({ session }) => session)]
    const slowest = Math.max(...turns.map(({ ms }) => ms))
    return { sessions, slowest, found: yield* audit(sessions) }
  }).pipe(Effect.timeout("70 seconds"), Effect.provide(busLayer({ url: cluster.url, name: "test" })), Effect.scoped, Effect.runPromise)

const clean = ({ sessions, slowest, found }: Awaited<ReturnType<typeof workWhile>>) => {
  console.info(`${sessions.length} sessions, ${found.events} events, slowest turn ${Math.round(slowest)} ms`)
  assert.deepStrictEqual(found.lost, [])
  assert.deepStrictEqual(found.duplicated, [])
  assert.strictEqual(found.dead, 0)
}

describe("a cluster", () => {
  it("keeps three replicas of everything", async () => {
    for (const stream of ["CALLS", "ASSISTANT", "BLOBS_CALLS", "BLOBS_ASSISTANT", "FRAMES_CALLS", "DLQ", "HOST"]) {
      assert.strictEqual(await cluster.replicasOf(stream), 3, stream)
    }
  })

  it("loses a node that leads nothing of ours: 0 lost, 0 doubled", async () => {
    const leader = await cluster.leaderOf("CALLS")
    const victim = [0, 1, 2].find((node) => node !== leader) ?? 0
    clean(await workWhile(0, () => cluster.kill(victim)))
    await cluster.restart(victim)
  })

  it("loses the leader of CALLS: 0 lost, 0 doubled", async () => {
    clean(await workWhile(100, async () => cluster.kill(await cluster.leaderOf("CALLS"))))
  })
})
