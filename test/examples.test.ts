/** The examples as they are, against the real program. */
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import { execFileSync, spawn, spawnSync } from "node:child_process"
import { readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import * as Effect from "effect/Effect"
import { IssueCredentials, type Rights } from "../contract/CredsCommands.ts"
import { homeToken } from "../kernel/Tokens.ts"
import { runCall } from "../launcher/Call.ts"
import { type BusOf, busOf, until } from "./support/bus.ts"
import { testkitConfig } from "./support/load.ts"
import { ATTENTIVE_ENGINES, type Running, startProgram } from "./support/program.ts"
import { pythonWith } from "./support/python.ts"
import { toneFile } from "./support/tones.ts"

const FOLDER = fileURLToPath(new URL("../examples/", import.meta.url))
const CALL: Parameters<typeof toneFile>[0] = [[0.5, 2]]

let voxbus: Running
let bus: BusOf
/** What the first call says, as every subscriber prints it. */
let expected: string

const textOf = async (session: string): Promise<string> => {
  const [found] = await bus.events(`text.transcribed.call.${session}.>`)
  return `${session} ${found.event.unit} ${found.event.text}`
}

beforeAll(async () => {
  voxbus = await startProgram(ATTENTIVE_ENGINES)
  bus = await busOf(voxbus)
  const call = runCall({ path: toneFile(CALL), config: testkitConfig }, () => Effect.void)
  expected = await textOf((await Effect.runPromise(Effect.provide(call, bus.services))).session)
}, 120_000)

afterAll(async () => {
  await bus.close()
  await voxbus.stop()
})

const addressFor = async (name: string, rights: Rights = { kind: "read", audio: false }) => {
  const { url } = await bus.ask(IssueCredentials, { name, rights })
  return { VOXBUS_BUS: url }
}

interface Started {
  readonly said: () => string
  readonly code: Promise<number | null>
  readonly end: () => Promise<number | null>
}

const begin = (command: string, args: ReadonlyArray<string>, environment: NodeJS.ProcessEnv, cwd = FOLDER): Started => {
  const child = spawn(command, args, { cwd, env: { ...process.env, ...environment }, stdio: ["ignore", "pipe", "pipe"] })
  let said = ""
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding("utf8").on("data", (text: string) => (said += text))
  const code = new Promise<number | null>((done) => child.once("close", done))
  return {
    said: () => said,
    code,
    end: () => {
      child.kill("SIGTERM")
      return code
    }
  }
}

/** Starts it and waits until it has printed what was said in the first call. */
const prints = async (started: Started) => {
  try {
    await until(async () => (started.said().includes(expected) ? true : undefined))
  } catch (cause) {
    throw new Error(`it printed ${started.said()}`, { cause })
  } finally {
    await started.end()
  }
}

describe("the examples", () => {
  it("have fewer than 60 lines each", () => {
    for (const path of readdirSync(FOLDER, { recursive: true }).map(String)) {
      if (!/\.(ts|py|go)$/.test(path)) continue
      const lines = readFileSync(join(FOLDER, path), "utf8").trimEnd().split("\n").length
      assert.isBelow(lines, 60, path)
    }
  })

  it("01-subscribe", async () => {
    await prints(begin(process.execPath, ["01-subscribe.ts"], await addressFor("typescript")))
  })

  it("02-transcribe-file", async () => {
    const token = await Effect.runPromise(homeToken(voxbus.home))
    const environment = { VOXBUS_URL: voxbus.gateway, VOXBUS_TOKEN: token }
    const run = begin(process.execPath, ["02-transcribe-file.ts", toneFile([[0.5, 2.5]])], environment)
    assert.strictEqual(await run.code, 0, run.said())
    assert.match(run.said(), /^\d\.\d \S+/)
    const missing = begin(process.execPath, ["02-transcribe-file.ts", join(voxbus.home, "nothing.wav")], environment)
    assert.strictEqual(await missing.code, 1)
  })

  it("03-own-actor", async () => {
    const rights: Rights = {
      kind: "own-actor",
      actor: { mode: "call", consumes: ["text.transcribed"], publishes: ["keyword.spotted"] }
    }
    const actor = begin(process.execPath, ["03-own-actor.ts"], await addressFor("phones", rights))
    const session = "01JD0000000000000000000000"
    const [sample] = await bus.events("text.transcribed.call.>")
    const segments = [{ ...sample.event.segments[0], text: "please call +44 20 7946 0000 tomorrow" }]
    await bus.publish(`text.transcribed.call.${session}.000001`, JSON.stringify({ ...sample.event, session, segments }))
    const found = await until(async () => (await bus.events(`keyword.spotted.call.${session}.>`))[0]).finally(actor.end)
    assert.deepInclude(found.event, { keyword: "telephone number", number: 500_001 })
    // It did not know more than it had to.
    assert.strictEqual((await bus.events(`keyword.spotted.call.>`)).length, 1)
  })

  it("python/subscribe.py, with nats-py", { timeout: 240_000 }, async () => {
    const { python, environment } = pythonWith(join(FOLDER, "python", "requirements.txt"))
    const started = begin(python, ["python/subscribe.py"], { ...environment, ...(await addressFor("python-1")) })
    await prints(started)
    assert.match(started.said(), /^\d+ sessions/)
  })

  it("go/main.go, with nats.go", { timeout: 240_000 }, async () => {
    if (spawnSync("go", ["version"]).status !== 0) {
      // Go is no part of what Voxbus needs.
      console.warn("\n*** NOT RUN: examples/go, because there is no `go` on this machine ***\n")
      return
    }
    const folder = join(FOLDER, "go")
    const binary = join(voxbus.home, "subscribe-go")
    execFileSync("go", ["build", "-mod=readonly", "-o", binary, "."], { cwd: folder, stdio: ["ignore", "ignore", "inherit"] })
    await prints(begin(binary, [], await addressFor("go-1")))
  })
})
