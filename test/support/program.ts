/** The real program for a test: `voxbus start` on a home of its own, and commands run against it. */
import { type ChildProcess, execFileSync, spawn } from "node:child_process"
import { randomUUID } from "node:crypto"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { cache } from "./server.ts"

export const MAIN = fileURLToPath(new URL("../../launcher/main.ts", import.meta.url))

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
export const freshHome = (extra: NodeJS.ProcessEnv = {}): Program & { readonly remove: () => void } => {
  const home = mkdtempSync(join(tmpdir(), "voxbus-e2e-"))
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
}

/** `voxbus start` on a free port, ready. */
export const startProgram = async (extra: NodeJS.ProcessEnv = {}): Promise<Running> => {
  const program = freshHome(extra)
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
