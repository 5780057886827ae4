import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Scope from "effect/Scope"
import { spawn } from "node:child_process"
import { existsSync, mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { findInstance, takeHome } from "./Instance.ts"

const home = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(join(tmpdir(), "voxbus-home-"))),
  (folder) => Effect.sync(() => rmSync(folder, { recursive: true }))
)

describe("Instance", () => {
  it.live("is found while it runs and gone after", () =>
    Effect.gen(function* () {
      const folder = yield* home
      const scope = yield* Scope.make()
      const own = yield* takeHome(folder, "start").pipe(Scope.provide(scope))
      yield* own.announce({ busUrl: "nats://127.0.0.1:1", gatewayUrl: "http://127.0.0.1:2" })
      assert.strictEqual(findInstance(folder)?.gatewayUrl, "http://127.0.0.1:2")
      assert.strictEqual(statSync(join(folder, "instance.json")).mode & 0o777, 0o600)
      const second = yield* Effect.flip(Effect.scoped(takeHome(folder, "start")))
      assert.strictEqual(second.code, "instance.running")
      yield* Scope.close(scope, Exit.void)
      assert.isFalse(existsSync(join(folder, "instance.json")))
    }).pipe(Effect.scoped)
  )

  it.live("left behind by a killed process, does not get in the way", () =>
    Effect.gen(function* () {
      const folder = yield* home
      const child = spawn(process.execPath, ["-e", "setInterval(() => {}, 1000)"])
      const pid = child.pid ?? 0
      writeFileSync(join(folder, "instance.json"), JSON.stringify({ pid, began: 1, kind: "start", busUrl: "", gatewayUrl: "" }))
      assert.isUndefined(findInstance(folder), "a pid that another program has now is not our instance")
      child.kill("SIGKILL")
      yield* Effect.callback<void>((resume) => void child.once("exit", () => resume(Effect.void)))
      writeFileSync(join(folder, "instance.json"), "{ cut off")
      assert.isUndefined(findInstance(folder))
      yield* takeHome(folder, "start")
      assert.strictEqual(findInstance(folder)?.pid, process.pid)
    }).pipe(Effect.scoped)
  )

  it.live("a command waits for a command, not for ever", () =>
    Effect.gen(function* () {
      const folder = yield* home
      const scope = yield* Scope.make()
      yield* takeHome(folder, "command").pipe(Scope.provide(scope))
      const waiting = yield* Effect.forkChild(Effect.scoped(Effect.as(takeHome(folder, "command"), "mine")))
      yield* Effect.sleep("300 millis")
      assert.isUndefined(waiting.pollUnsafe())
      yield* Scope.close(scope, Exit.void)
      assert.strictEqual(yield* Fiber.join(waiting), "mine")
    }).pipe(Effect.scoped)
  )
})
