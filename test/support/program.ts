/** The real program for a test: `voxbus start` on a home of its own, and commands run against it. */
import { type ChildProcess, execFileSync, spawn } from "node:child_process"
import { randomUUID } from "node:crypto"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { cache } from "./server.ts"

export const MAIN = fileURLToPath(new URL("../../launcher/main.ts", import.meta.url))

/** Settings by which every engine is the test-kit's: no model, the same output for the same input. */
export const TESTKIT_ENGINES = {
  VOXBUS_TRANSCRIBER_ENGINE: "testkit",
  VOXBUS_REASONER_ENGINE: "testkit",
  VOXBUS_SPEAKER_ENGINE: "testkit"
} as const

/** The same for sound that is never twice the same, where a test wants words. */
export const ATTENTIVE_ENGINES = { ...TESTKIT_ENGINES, VOXBUS_TRANSCRIBER_MODEL: "attentive" } as const

export interface Ran {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
  /** The objects of `--json`, one per line. */
  readonly json: ReadonlyArray<any>
}

export interface Program {
  readonly home: string
  readonly environment: NodeJS.ProcessEnv
  readonly run: (...args: ReadonlyArray<string>) => Promise<Ran>
}

const parseLines = (text: string) =>
  text
    .split("\n")
    .filter((line) => line.startsWith("{"))
    .map((line): unknown => JSON.parse(line))

const collect = (child: ChildProcess) =>
  new Promise<Ran>((resolve) => {
    let stdout = ""
    let stderr = ""
    child.stdout?.setEncoding("utf8").on("data", (text: string) => (stdout += text))
    child.stderr?.setEncoding("utf8").on("data", (text: string) => (stderr += text))
    child.once("close", (code, signal) => resolve({ code: code ?? (signal === null ? 1 : 128), stdout, stderr, json: parseLines(stdout) }))
  })

/** Commands on a fresh home; nothing runs until one is called. */
export const freshHome = (
  extra: NodeJS.ProcessEnv = {},
  home = mkdtempSync(join(tmpdir(), "voxbus-e2e-"))
): Program & { readonly remove: () => void } => {
  const environment = { ...process.env, VOXBUS_HOME: home, VOXBUS_CACHE: cache, VOXBUS_CORES_NAME: `voxbus-e2e-${randomUUID()}`, ...extra }
  const run = (...args: ReadonlyArray<string>) =>
    collect(spawn(process.execPath, [MAIN, ...args], { env: environment, stdio: ["ignore", "pipe", "pipe"] }))
  return { home, environment, run, remove: () => rmSync(home, { recursive: true, force: true, maxRetries: 5 }) }
}

export interface Running extends Program {
  readonly gateway: string
  readonly bus: string
  readonly child: ChildProcess
  /** Everything written to standard error so far. */
  readonly log: () => string
  readonly stop: () => Promise<number>
  /** As a power cut would; returns the home, which stays. */
  readonly killed: () => Promise<string>
}

/** `voxbus start` on a free port, ready; `config` is its configuration file. `home`: one that is there already. */
export const startProgram = async (extra: NodeJS.ProcessEnv = {}, config: object | undefined = {}, home?: string): Promise<Running> => {
  const program = freshHome(extra, home)
  if (config !== undefined && home === undefined) writeFileSync(join(program.home, "config.json"), JSON.stringify(config))
  const child = spawn(process.execPath, [MAIN, "start", "--port", "0", "--json"], {
    env: program.environment,
    stdio: ["pipe", "pipe", "pipe"]
  })
  let log = ""
  child.stderr.setEncoding("utf8").on("data", (text: string) => (log += text))
  const ready = await new Promise<any>((resolve, reject) => {
    let out = ""
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      out += text
      const [first] = parseLines(out)
      if (first !== undefined) resolve(first)
    })
    child.once("exit", (code) => reject(new Error(`voxbus start ended with ${code}: ${log}`)))
  })
  const ended = new Promise<number>((resolve) => child.once("close", (code, signal) => resolve(code ?? (signal === null ? 1 : 128))))
  return {
    ...program,
    gateway: ready.gateway,
    bus: ready.bus,
    child,
    log: () => log,
    killed: async () => {
      child.kill("SIGKILL")
      await ended
      return program.home
    },
    stop: async () => {
      child.kill("SIGTERM")
      const code = await ended
      program.remove()
      return code
    }
  }
}

/** Process ids below `pid`, the nearest first. */
export const descendants = (pid: number): ReadonlyArray<{ readonly pid: number; readonly command: string }> => {
  const rows = execFileSync("ps", ["-eo", "pid=,ppid=,args="], { encoding: "utf8" })
    .trim()
    .split("\n")
    .map((row) => /^\s*(\d+)\s+(\d+)\s+(.*)$/.exec(row))
    .flatMap((match) => (match === null ? [] : [{ pid: Number(match[1]), parent: Number(match[2]), command: match[3] ?? "" }]))
  const below = (of: number): ReadonlyArray<{ readonly pid: number; readonly command: string }> =>
    rows.filter((row) => row.parent === of).flatMap((row) => [{ pid: row.pid, command: row.command }, ...below(row.pid)])
  return below(pid)
}
