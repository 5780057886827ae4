import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { type ChildProcess, spawn } from "node:child_process"
import { once } from "node:events"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { failureOf } from "../../../kernel/testkit/ProviderTest.ts"
import { load, Settings } from "../../../kernel/Settings.ts"
import { Toolbox } from "../Toolbox.ts"
import type { ToolContext } from "./Tool.ts"

const SERVER = fileURLToPath(new URL("../../../kernel/testkit/McpServer.ts", import.meta.url))
const context: ToolContext = { session: "01ARZ3NDEKTSV4RRFFQ69G5FAV", key: "k", ask: () => Effect.die(new Error("nobody is asked here")) }

/** The tools of a host with these servers. */
const toolsOf = (mcp: ReadonlyArray<object>, host: object = {}) =>
  Effect.gen(function* () {
    const home = yield* Effect.acquireRelease(
      Effect.sync(() => mkdtempSync(join(tmpdir(), "voxbus-mcp-"))),
      (folder) => Effect.sync(() => rmSync(folder, { recursive: true }))
    )
    const settings = Layer.effect(Settings, load({ VOXBUS_HOME: home }, { reasoner: { mcp }, host }))
    const toolbox = yield* Layer.build(Layer.provide(Toolbox.layer, settings))
    // A turn waits three seconds; a server that starts on a busy machine may take longer.
    return yield* Effect.flatMap(Toolbox, ({ tools }) => tools({ tools: ["mcp"] })).pipe(
      Effect.repeat({ until: (tools) => tools.length > 0, times: 5 }),
      Effect.provide(toolbox)
    )
  })

const stdio = { name: "test", command: process.execPath, args: [SERVER] }
const served = Effect.acquireRelease(
  Effect.promise(async () => {
    const child: ChildProcess = spawn(process.execPath, [SERVER, "--http"], { stdio: ["pipe", "pipe", "inherit"] })
    const [line] = await once(child.stdout ?? process.stdin, "data")
    return { child, url: `http://127.0.0.1:${String(line).trim()}/mcp` }
  }),
  ({ child }) => Effect.promise(() => (child.kill(), once(child, "exit")))
)

describe("MCP", () => {
  it.live("a command's tools are listed and called, and see none of our variables but those named", () => {
    process.env["PLANTED_SECRET"] = "1"
    process.env["PLANTED_NAMED"] = "1"
    return Effect.gen(function* () {
      const tools = yield* toolsOf([{ ...stdio, environment: ["PLANTED_NAMED"] }])
      assert.deepStrictEqual(
        tools.map(({ name, repeatable }) => [name, repeatable]),
        [
          ["test_add", true],
          ["test_note", false],
          ["test_fail", false],
          ["test_secrets", false]
        ]
      )
      const [add, , fail, secrets] = tools
      assert(add !== undefined && fail !== undefined && secrets !== undefined)
      assert.deepInclude(add.parameters, { type: "object", required: ["a", "b"] })
      assert.strictEqual(yield* add.run({ a: 2, b: 3 }, context), "5")
      assert.strictEqual((yield* failureOf(fail.run({}, context))).message, "It does not work.")
      const seen = yield* secrets.run({}, context)
      assert.include(seen, "PLANTED_NAMED")
      assert.notInclude(seen, "PLANTED_SECRET")
    }).pipe(Effect.scoped)
  })

  it.live("an address works the same", () =>
    Effect.gen(function* () {
      const { url } = yield* served
      const [add] = yield* toolsOf([{ name: "web", url }])
      assert.strictEqual(add?.name, "web_add")
      assert.strictEqual(yield* add?.run({ a: 20, b: 22 }, context) ?? Effect.succeed(""), "42")
    }).pipe(Effect.scoped)
  )

  it.live("a server that is not there costs its tools and nothing else; offline mode asks no other machine", () =>
    Effect.gen(function* () {
      const tools = yield* toolsOf([{ name: "none", command: "/does/not/exist" }, { name: "far", url: "https://192.0.2.1/mcp" }, stdio], {
        offline: true
      })
      assert.deepStrictEqual(
        tools.map(({ name }) => name),
        ["test_add", "test_note", "test_fail", "test_secrets"]
      )
    }).pipe(Effect.scoped)
  )
})
