/** The core budget holds between processes: two transcribers, the language model and the voice, and a SIGKILL. */
import { assert, describe, it } from "@effect/vitest"
import { type ChildProcess, spawn } from "node:child_process"
import { randomUUID } from "node:crypto"
import { fileURLToPath } from "node:url"

const WORKER = fileURLToPath(new URL("support/core-worker.ts", import.meta.url))
const TOTAL = 2

interface Line {
  readonly at: bigint
  readonly name: string
  readonly what: string
  readonly threads: number
}

class Workers {
  readonly lines: Array<Line> = []
  readonly #budget = `voxbus-test-${randomUUID()}`
  readonly #waiting: Array<{ readonly name: string; readonly what: string; readonly done: () => void }> = []

  start(
    name: string,
    lane: "interactive" | "batch",
    want: number,
    rounds: number,
    ms: number
  ): { readonly child: ChildProcess; readonly ended: Promise<void> } {
    const child = spawn(process.execPath, [WORKER, name, lane, String(want), String(rounds), String(ms)], {
      env: { ...process.env, VOXBUS_CORES: String(TOTAL), VOXBUS_CORES_NAME: this.#budget },
      stdio: ["ignore", "pipe", "inherit"]
    })
    child.stdout.setEncoding("utf8")
    let rest = ""
    child.stdout.on("data", (text: string) => {
      const parts = (rest + text).split("\n")
      rest = parts.pop() ?? ""
      for (const part of parts) {
        const [at = "0", who = "", what = "", threads = "0"] = part.split(" ")
        this.lines.push({ at: BigInt(at), name: who, what, threads: Number(threads) })
        for (const waiter of this.#waiting.filter((each) => each.name === who && each.what === what)) waiter.done()
      }
    })
    return { child, ended: new Promise((resolve) => child.once("close", () => resolve())) }
  }

  seen(name: string, what: string): Promise<void> {
    return this.lines.some((line) => line.name === name && line.what === what)
      ? Promise.resolve()
      : new Promise((done) => this.#waiting.push({ name, what, done }))
  }

  /** The most threads that ran at one moment; a killed process counts until `without` says it is gone. */
  most(): number {
    const now = new Map<string, number>()
    let most = 0
    for (const line of this.lines.toSorted((a, b) => Number(a.at - b.at))) {
      now.set(line.name, line.threads)
      most = Math.max(
        most,
        [...now.values()].reduce((sum, each) => sum + each, 0)
      )
    }
    return most
  }
}

describe("core budget between processes", () => {
  it("never runs more threads than there are cores", async () => {
    const workers = new Workers()
    await Promise.all([
      workers.start("transcriber-1", "batch", 2, 8, 25).ended,
      workers.start("transcriber-2", "batch", 2, 8, 25).ended,
      workers.start("language-model", "interactive", 2, 8, 15).ended,
      workers.start("voice", "interactive", 2, 8, 15).ended
    ])
    assert.strictEqual(workers.lines.filter((line) => line.what === "gave").length, 32, "every round got its turn")
    assert.isAtMost(workers.most(), TOTAL)
    assert.isTrue(
      workers.lines.some((line) => line.what === "got" && line.threads === 1),
      "they did compete"
    )
  })

  it("takes the cores of a killed process back, and survives the death of the bookkeeper", async () => {
    const workers = new Workers()
    // The first to come keeps the books for all; it dies holding everything.
    const first = workers.start("first", "interactive", 2, 1, 60_000)
    await workers.seen("first", "got")
    const second = workers.start("second", "interactive", 2, 3, 20)
    const third = workers.start("third", "batch", 2, 3, 20)
    await new Promise((resolve) => setTimeout(resolve, 400))
    assert.isFalse(
      workers.lines.some((line) => line.name === "second"),
      "nothing is free yet"
    )
    first.child.kill("SIGKILL")
    await Promise.all([first.ended, second.ended, third.ended])
    assert.strictEqual(workers.lines.filter((line) => line.what === "gave").length, 6)
    const without = workers.lines.filter((line) => line.name !== "first")
    workers.lines.length = 0
    workers.lines.push(...without)
    assert.isAtMost(workers.most(), TOTAL)
  })
})
