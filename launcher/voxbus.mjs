#!/usr/bin/env node
/**
 * The `voxbus` command: sets up what the command needs, then hands over to launcher/main.ts under Node 24.
 *
 * Plain JavaScript for Node 18 and newer, like setup.mjs: it runs on whatever Node the user has. Standard output belongs
 * to the command alone.
 */
import { spawn } from "node:child_process"
import * as nodeModule from "node:module"
import { constants } from "node:os"
import { join } from "node:path"
import { nodeBinary, report, root, setup } from "./setup.mjs"

/** Commands that compute; all others need the dependencies only. */
const SETS = { start: "start", run: "start", transcribe: "start", ask: "start", replay: "start", demo: "demo" }

const args = process.argv.slice(2)
const command = args.find((arg) => !arg.startsWith("-")) ?? ""
const help = args.includes("--help") || args.includes("-h") || args.includes("--version")
const set = help ? "dependencies" : (SETS[command] ?? "dependencies")

/**
 * Compiled code and stripped types are kept between runs, for this process and all below it: starting takes half the
 * processor time and each process 25 MB less.
 */
process.env.NODE_COMPILE_CACHE ??= join(root, "node_modules", ".cache", "voxbus")

/** The child in place of this process: signals go in, its exit code comes out. */
const handOver = () => {
  const child = spawn(nodeBinary(), [join(root, "launcher", "main.ts"), ...args], {
    // The channel carries nothing: it closes when this process is killed, and the child leaves too.
    stdio: ["inherit", "inherit", "inherit", "ipc"]
  })
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"])
    process.on(signal, () => {
      // A terminal sends Ctrl-C to the child as well; sending it twice would mean "at once".
      if (signal !== "SIGINT" || process.stdin.isTTY !== true) child.kill(signal)
    })
  child.once("error", (error) => {
    process.stderr.write(`error setup.dependencies: ${nodeBinary()} does not start: ${error.message}\n`)
    process.exitCode = 4
  })
  child.once("close", (code, signal) => (process.exitCode = signal ? 128 + constants.signals[signal] : (code ?? 1)))
}

try {
  await setup({ for: set })
  if (Number(process.versions.node.split(".")[0]) >= 24) {
    nodeModule.enableCompileCache(process.env.NODE_COMPILE_CACHE)
    await import("./main.ts")
  } else handOver()
} catch (error) {
  process.exitCode = report(error)
}
