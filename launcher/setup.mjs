/**
 * Set-up that needs nothing by hand: dependencies, the pinned Node 24, then the models and the speech engine.
 *
 * Plain JavaScript for Node 18 and newer without any dependency, because it runs before there are any. What is done is
 * remembered, so a second run takes some milliseconds. Everything it says goes to standard error.
 *
 *   node launcher/setup.mjs [--for-tests]
 */
import { spawn, spawnSync } from "node:child_process"
import { createHash } from "node:crypto"
import { existsSync, readdirSync, readFileSync, rmSync, statfsSync, unlinkSync, writeFileSync } from "node:fs"
import { homedir, tmpdir } from "node:os"
import { dirname, join, resolve } from "node:path"
import { fileURLToPath } from "node:url"

const windows = process.platform === "win32"
/** Folder of package.json. */
export const root = dirname(dirname(fileURLToPath(import.meta.url)))
const modules = join(root, "node_modules")
const stamp = join(modules, ".voxbus-setup.json")
const pinned = join(modules, "node", "bin", windows ? "node.exe" : "node")
const NEEDED_NODE = 24
/** Bytes that node_modules takes while it is installed. */
const NEEDED_ROOM = 900_000_000

const major = (version) => Number(version.replace(/^v/, "").split(".")[0])

/** The Node that runs Voxbus: the pinned one, or the user's own where that is new enough. */
export const nodeBinary = () => (existsSync(pinned) || major(process.version) < NEEDED_NODE ? pinned : process.execPath)

/** A failure of the set-up: a code of contract/Errors.ts, what happened, what to do. `exit` 0 means it was told already. */
export class SetupError extends Error {
  constructor(code, message, exit = 4) {
    super(message)
    this.code = code
    this.exit = exit
  }
}

const say = (text) => process.stderr.write(`${text}\n`)

const read = (path) => {
  try {
    return readFileSync(path, "utf8")
  } catch {
    return ""
  }
}

const lockSum = () =>
  createHash("sha256")
    .update(read(join(root, "package-lock.json")))
    .digest("hex")

const installed = () => {
  try {
    return JSON.parse(read(stamp)).lock === lockSum() && existsSync(nodeBinary())
  } catch {
    return false
  }
}

const QUIET = ["--no-audit", "--no-fund", "--loglevel=error"]

/** Runs npm and collects what it says; npm is that of `npm start` where we were called by it. */
const npm = (args) =>
  new Promise((done) => {
    const cli = process.env.npm_execpath
    const own = cli !== undefined && /npm-cli\.[cm]?js$/.test(cli) && existsSync(cli)
    const [command, first] = own ? [process.execPath, [cli]] : [windows ? "npm.cmd" : "npm", []]
    const child = spawn(command, [...first, ...args, ...QUIET], {
      cwd: root,
      shell: windows && !own,
      stdio: ["ignore", "pipe", "pipe"],
      // Neither wants its own download: FFmpeg is in node-av's binary, llama.cpp in the package of the platform.
      env: { ...process.env, SKIP_FFMPEG: "true", NODE_LLAMA_CPP_SKIP_DOWNLOAD: "true" }
    })
    let output = ""
    const keep = (chunk) => (output = (output + chunk).slice(-20_000))
    child.stdout.on("data", keep)
    child.stderr.on("data", keep)
    child.once("error", (error) => done({ code: 127, output: error.message }))
    child.once("close", (code) => done({ code, output }))
  })

/** What npm complained about, its log file and boilerplate aside. */
const complaint = (output) =>
  output
    .split(/\r?\n/)
    .map((line) => line.replace(/^npm (error|ERR!) ?/, "").trim())
    .filter((line) => line !== "" && !/^(A complete log|npm warn|code |syscall |errno |at )/.test(line))
    .slice(0, 2)
    .join("; ")

/** A line that counts the seconds where a person looks at it. */
const busy = async (text, work) => {
  const tty = process.stderr.isTTY === true
  const start = performance.now()
  const seconds = () => Math.round((performance.now() - start) / 1000)
  if (!tty) say(`${text} ...`)
  const timer = tty ? setInterval(() => process.stderr.write(`\r${text} ... ${seconds()} s`), 500) : undefined
  try {
    return await work()
  } finally {
    clearInterval(timer)
    if (tty) process.stderr.write("\r\u001b[2K")
    say(`${text}: ${seconds()} s`)
  }
}

/** One installation at a time; the file names its process, so that one left by a kill does not get in the way. */
const exclusively = async (work) => {
  const lock = join(tmpdir(), `voxbus-setup-${createHash("sha256").update(root).digest("hex").slice(0, 16)}.lock`)
  const alive = (pid) => {
    try {
      return pid > 0 && process.kill(pid, 0)
    } catch (error) {
      return error.code === "EPERM"
    }
  }
  for (let told = false; ; told = true) {
    try {
      writeFileSync(lock, String(process.pid), { flag: "wx" })
      break
    } catch (error) {
      if (error.code !== "EEXIST") throw error
    }
    if (!alive(Number(read(lock)))) unlinkSync(lock)
    else {
      if (!told) say("Waiting for another set-up of the same folder ...")
      await new Promise((wake) => setTimeout(wake, 500))
    }
  }
  try {
    return await work()
  } finally {
    unlinkSync(lock)
  }
}

/** 66 MB of headers that only addons using OpenSSL need; ours use Node-API. */
const slim = () => {
  const packages = join(modules, "node", "node_modules")
  for (const name of existsSync(packages) ? readdirSync(packages) : []) {
    const headers = join(packages, name, "include", "node", "openssl")
    if (existsSync(headers)) rmSync(headers, { recursive: true })
  }
}

const failed = (output) =>
  new SetupError(
    "setup.dependencies",
    `The dependencies could not be installed: ${complaint(output)}. Check the network, the proxy settings of npm and the free space, then run it again.`
  )

const installDependencies = async () => {
  if (installed()) return
  const { bavail, bsize } = statfsSync(root)
  // npm itself goes on without the packages that did not fit, if they are optional.
  if (bavail * bsize < NEEDED_ROOM && !existsSync(stamp))
    throw new SetupError(
      "disk.full",
      `The dependencies need ${NEEDED_ROOM / 1e6} MB in ${root}, and ${Math.floor((bavail * bsize) / 1e6)} MB are free. Free space there and run it again.`,
      5
    )
  // Not `npm ci`: it refuses a lockfile without the packages of platforms that its author could not resolve. All
  // versions are exact, what the lockfile has is verified, and it is not written.
  // With npm's own retries a registry that is not there would take it ten minutes to say so.
  const online = (await npm(["ping", "--fetch-retries=0"])).code === 0
  const retries = online ? [] : ["--fetch-retries=0", "--prefer-offline"]
  const install = await npm(["install", ...retries, "--no-save", "--include=dev", "--include=optional"])
  if (install.code !== 0) throw failed(install.code === 127 ? `npm was not found (${install.output})` : install.output)
  // The only install script that is run: it brings the Node 24 of this platform.
  const node = await npm(["rebuild", "node", "--ignore-scripts=false"])
  slim()
  const version = spawnSync(nodeBinary(), ["-v"], { encoding: "utf8" }).stdout ?? ""
  if (major(version) < NEEDED_NODE || Number.isNaN(major(version)))
    throw new SetupError(
      "setup.dependencies",
      `Node 24 could not be set up (${complaint(node.output) || "it does not run here"}). Install Node 24 or newer from your system's packages and run it again.`
    )
  writeFileSync(stamp, JSON.stringify({ lock: lockSum(), node: version.trim() }))
}

/** Settings that may ask for other models than the default: then the full check runs (a third of a second). */
const customised = (home) =>
  existsSync(join(home, "config.json")) ||
  Object.keys(process.env).some((name) => /^(VOXBUS_(TRANSCRIBER|SPEAKER)_|NATS_SERVER_BIN$)/.test(name))

/** Is the whole set there? Looks for `model.json` and nothing else, which is written last. */
const modelsThere = (set) => {
  const home = resolve(process.env.VOXBUS_HOME || join(homedir(), ".voxbus"))
  const cache = resolve(process.env.VOXBUS_CACHE || join(process.env.XDG_CACHE_HOME || join(homedir(), ".cache"), "voxbus"))
  if (customised(home)) return false
  const there = (name) => existsSync(join(cache, "models", name, "model.json"))
  const python = () => {
    try {
      const manifest = JSON.parse(read(join(cache, "models", "python-ctranslate2", "model.json")))
      return existsSync(resolve(cache, "models", "python-ctranslate2", manifest.files.python))
    } catch {
      return false
    }
  }
  const native = () => existsSync(join(modules, "smart-whisper", "build", "voxbus-build.json"))
  const { sets } = JSON.parse(read(join(root, "models", "catalog.json")))
  // Without Python the full check runs, which compares the processor that whisper.cpp was compiled for.
  return sets[set].every(there) && python() && (set !== "test" || native())
}

const ensureModels = (set) =>
  new Promise((done, fail) => {
    const child = spawn(nodeBinary(), [join(root, "models", "main.ts"), "ensure", "--for", set], { cwd: root, stdio: ["inherit", 2, 2] })
    child.once("error", (error) => fail(new SetupError("setup.dependencies", `${nodeBinary()} does not start: ${error.message}`)))
    // It has told what happened; only its exit code goes on.
    child.once("close", (code, signal) => (code === 0 ? done() : fail(new SetupError("", "", signal ? 130 : code))))
  })

/** SHA-256 over everything that the page is made of. */
const pageSum = () => {
  const ui = join(root, "ui")
  const hash = createHash("sha256").update(lockSum())
  for (const path of readdirSync(ui, { recursive: true }).map(String).sort())
    if (!/^(dist|node_modules)\b/.test(path) && /\.\w+$/.test(path)) hash.update(path).update(readFileSync(join(ui, path)))
  return hash.digest("hex")
}

/** The page that the gateway serves, built anew when its source has changed (a second). */
const buildPage = async () => {
  const done = join(root, "ui", "dist", ".source")
  const sum = pageSum()
  if (read(done) === sum) return
  const { status, stderr } = spawnSync(
    nodeBinary(),
    [join(modules, "vite", "bin", "vite.js"), "build", "ui", "--config", "ui/vite.config.ts", "--logLevel", "error"],
    {
      cwd: root,
      encoding: "utf8"
    }
  )
  if (status !== 0) throw new SetupError("setup.dependencies", `The page could not be built: ${stderr.trim().split("\n")[0]}`)
  writeFileSync(done, sum)
}

/**
 * Sets up what is missing for `dependencies` (nothing but node_modules), `start`, `demo` or `test`.
 * Throws `SetupError`.
 */
export const setup = async (options) => {
  if (!installed()) await busy("Installing dependencies (about 650 MB on the disk)", () => exclusively(installDependencies))
  if (options.for === "dependencies") return
  await buildPage()
  if (!modelsThere(options.for)) await ensureModels(options.for)
}

/** Prints a failure of the set-up and gives its exit code. */
export const report = (error) => {
  if (error.code === "ENOSPC") error = new SetupError("disk.full", `${root}: the disk is full. Free a gigabyte and run it again.`, 5)
  if (error.code === "EACCES" || error.code === "EROFS") error = new SetupError("setup.dependencies", `${error.path} cannot be written.`)
  if (!(error instanceof SetupError)) throw error
  if (error.code !== "") say(`error ${error.code}: ${error.message}`)
  return error.exit
}

if (process.argv[1] !== undefined && resolve(process.argv[1]) === fileURLToPath(import.meta.url)) {
  const set = process.argv.includes("--for-tests") ? "test" : "start"
  await setup({ for: set }).catch((error) => (process.exitCode = report(error)))
}
