import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { spawn } from "node:child_process"
import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { withLock } from "./Lock.ts"

const HOLD = `
const { DatabaseSync } = await import("node:sqlite")
new DatabaseSync(process.argv[1], { timeout: 0 }).exec("BEGIN EXCLUSIVE")
console.log("held")
setInterval(() => undefined, 1000)
`

const lockPath = Effect.acquireRelease(
  Effect.promise(async () => join(await mkdtemp(join(tmpdir(), "voxbus-lock-")), "a.lock")),
  (path) => Effect.promise(() => rm(join(path, ".."), { recursive: true }))
)

describe("withLock", () => {
  it.live("lets one in at a time, also in one process", () =>
    Effect.gen(function* () {
      const path = yield* lockPath
      let inside = 0
      let most = 0
      let waits = 0
      const work = Effect.gen(function* () {
        most = Math.max(most, (inside += 1))
        yield* Effect.sleep("50 millis")
        inside -= 1
      })
      yield* Effect.all(
        Array.from({ length: 3 }, () => withLock(path, () => (waits += 1), work)),
        { concurrency: "unbounded" }
      )
      assert.deepStrictEqual([most, waits], [1, 2])
    })
  )

  it.live("is free as soon as its holder is killed", () =>
    Effect.gen(function* () {
      const path = yield* lockPath
      const holder = spawn(process.execPath, ["--input-type=module", "-e", HOLD, path], { stdio: ["ignore", "pipe", "inherit"] })
      yield* Effect.promise(() => new Promise((held) => holder.stdout.once("data", held)))
      let waited = false
      const result = yield* withLock(
        path,
        () => {
          waited = true
          holder.kill("SIGKILL")
        },
        Effect.succeed("mine")
      )
      assert.deepStrictEqual([waited, result], [true, "mine"])
    })
  )

  it.live("gives the lock back after a failure", () =>
    Effect.gen(function* () {
      const path = yield* lockPath
      const never = () => assert.fail("there was a wait")
      assert.strictEqual(yield* Effect.flip(withLock(path, never, Effect.fail("no"))), "no")
      assert.strictEqual(yield* withLock(path, never, Effect.succeed(1)), 1)
    })
  )
})
