/**
 * `voxbus doctor`: what is there, what works, and what to do about the rest. Every check looks for real (imports the
 * engine, runs the binary, binds the port); none changes anything.
 */
import * as Effect from "effect/Effect"
import { constants } from "node:fs"
import { access, mkdir } from "node:fs/promises"
import { createRequire } from "node:module"
import { createServer } from "node:net"
import { systemCode } from "../kernel/Failure.ts"
import { Settings, type SettingsShape } from "../kernel/Settings.ts"
import { catalog, filesFor, sizeOf } from "./Catalog.ts"
import { complaint, run } from "./Command.ts"
import { freeBytes } from "./Disk.ts"
import { sha256 } from "./Hash.ts"
import { findInstalled } from "./Installed.ts"
import { isWhisperBuilt } from "./NativeWhisper.ts"
import { checkPython } from "./PythonEnvironment.ts"
import { findPython, withoutPython } from "./Python.ts"

export interface Check {
  readonly name: string
  readonly status: "ok" | "warn" | "fail"
  readonly detail: string
  /** What a person does about it. */
  readonly fix?: string
}

const ok = (name: string, detail: string): Check => ({ name, status: "ok", detail })
const warn = (name: string, detail: string, fix: string): Check => ({ name, status: "warn", detail, fix })
const fail = (name: string, detail: string, fix: string): Check => ({ name, status: "fail", detail, fix })

const node = Effect.sync(() => {
  const version = process.versions.node
  return Number(version.split(".")[0]) >= 24 ? ok("node", version) : fail("node", `${version}, 24 is needed`, "Run: npm start")
})

const python = findPython.pipe(
  Effect.map((search) => {
    if (search.found === undefined)
      return warn("python", withoutPython(search), "Install Python 3.9 or newer with pip: it carries the faster speech engine.")
    const { executable, pip, venv, version } = search.found
    const can = `${version} at ${executable}, pip ${pip ? "yes" : "no"}, venv ${venv ? "yes" : "no"}`
    return pip || venv ? ok("python", can) : warn("python", can, "Install pip (Debian: apt install python3-pip python3-venv).")
  })
)

const compiler = run(process.env["CXX"] || "c++", ["--version"]).pipe(
  Effect.map((outcome) =>
    outcome.code === 0
      ? ok("compiler", outcome.stdout.split("\n")[0] ?? "")
      : warn(
          "compiler",
          "no C++ compiler",
          "Only needed for the whisper.cpp engine. Debian: apt install build-essential; macOS: xcode-select --install."
        )
  )
)

/** Room for the default models and some hours of calls. */
const ROOM = 2_000_000_000

const disk = (name: string, folder: string) =>
  Effect.promise(async () => {
    const free = await freeBytes(folder).catch(() => Infinity)
    const writable = await mkdir(folder, { recursive: true })
      .then(() => access(folder, constants.W_OK))
      .then(() => true)
      .catch(() => false)
    if (!writable)
      return fail(name, `${folder} cannot be written`, "Change its permissions, or set VOXBUS_HOME / VOXBUS_CACHE to another folder.")
    const detail = `${folder}, ${(free / 1e9).toFixed(1)} GB free`
    return free >= ROOM ? ok(name, detail) : warn(name, detail, "Free space on this disk: models and calls need some gigabytes.")
  })

const port = ({ gateway }: SettingsShape) =>
  Effect.callback<Check>((resume) => {
    const server = createServer()
    server.once("error", (cause) =>
      resume(
        Effect.succeed(
          systemCode(cause) === "EADDRINUSE"
            ? warn("port", `${gateway.port} is in use`, "Fine if that is Voxbus; else choose another with --port or VOXBUS_GATEWAY_PORT.")
            : warn("port", `${gateway.port} cannot be opened (${systemCode(cause)})`, "Choose another with --port or VOXBUS_GATEWAY_PORT.")
        )
      )
    )
    server.listen(gateway.port, "127.0.0.1", () => server.close(() => resume(Effect.succeed(ok("port", `${gateway.port} is free`)))))
  })

/** Is it there, and is every pinned file still what it was? */
const model = Effect.fnUntraced(function* (name: string, cache: string) {
  const entry = catalog.models.find((entry) => entry.name === name)
  const found = yield* findInstalled(cache, name, entry)
  const needed = catalog.sets.start.includes(name)
  const fetch = `npx voxbus models fetch ${name}`
  if (entry === undefined || found === undefined) {
    const detail = `not installed (${Math.ceil(entry === undefined ? 0 : sizeOf(entry) / 1e6)} MB)`
    return needed ? fail(`model ${name}`, detail, `Run: ${fetch}`) : ok(`model ${name}`, `${detail}, optional`)
  }
  for (const file of filesFor(entry)) {
    const own = found.files[file.role] === file.path
    const expected = file.role === entry.main ? found.sha256 : file.sha256
    if (!own || expected === undefined || expected === "") continue
    const sum = yield* Effect.promise(() => sha256(found.path(file.role)).catch(() => "unreadable"))
    if (sum !== expected) return fail(`model ${name}`, `${file.path} is damaged`, `Run: npx voxbus models remove ${name} && ${fetch}`)
  }
  return ok(`model ${name}`, `verified, from ${found.origin}`)
})

const natsServer = Effect.fnUntraced(function* (cache: string) {
  const found = yield* findInstalled(cache, "nats-server")
  if (found === undefined) return fail("nats-server", "not installed", "Run: npx voxbus models fetch nats-server")
  const outcome = yield* run(found.path("binary"), ["--version"])
  if (outcome.code !== 0) return fail("nats-server", complaint(outcome), "Run: npx voxbus models remove nats-server, then fetch it again.")
  return ok("nats-server", `${outcome.stdout.trim()} at ${found.path("binary")}`)
})

const ctranslate2 = Effect.fnUntraced(function* (cache: string) {
  const found = yield* findInstalled(cache, "python-ctranslate2")
  if (found === undefined)
    return warn("engine ctranslate2", "not installed", "Run: npx voxbus models fetch python-ctranslate2 (the faster engine).")
  const health = yield* checkPython(found.path("python"), found.files["site"] === undefined ? undefined : found.path("site"))
  const repair = "Run: npx voxbus models remove python-ctranslate2, then fetch it again."
  return health.ok ? ok("engine ctranslate2", health.detail) : fail("engine ctranslate2", health.detail, repair)
})

/** In a process of its own: a binary for another processor would take this one down with it. */
const loads = (name: string, id: string, absent: Check) =>
  run(process.execPath, ["-e", `require(${JSON.stringify(createRequire(import.meta.url).resolve(id))})`]).pipe(
    Effect.map((outcome) => (outcome.code === 0 ? ok(name, "loads") : { ...absent, detail: complaint(outcome) })),
    Effect.catchDefect(() => Effect.succeed(absent))
  )

const whisperCpp = Effect.suspend(() => {
  const absent = warn(
    "engine whisper.cpp",
    "not compiled",
    "Only needed without Python. Set VOXBUS_TRANSCRIBER_ENGINE=whisper.cpp and start once."
  )
  return isWhisperBuilt() ? loads("engine whisper.cpp", "smart-whisper", absent) : Effect.succeed(absent)
})

const sherpa = loads(
  "engine sherpa-onnx",
  "sherpa-onnx-node",
  fail("engine sherpa-onnx", "does not load", "Delete node_modules and run: npm start")
)

/** All checks, in the order in which things depend on each other. At least one speech engine must work. */
export const diagnose: Effect.Effect<ReadonlyArray<Check>, never, Settings> = Effect.gen(function* () {
  const settings = yield* Settings
  const { cache, home } = settings
  const machine = [node, python, compiler, disk("home", home), disk("cache", cache), port(settings)]
  const models = catalog.models.filter((entry) => entry.kind !== "python").map((entry) => model(entry.name, cache))
  const checks = yield* Effect.all([...machine, ...models, natsServer(cache), sherpa], { concurrency: 2 })
  const engines = yield* Effect.all([ctranslate2(cache), whisperCpp], { concurrency: 2 })
  const working = engines.some((engine) => engine.status === "ok")
  const speech = working
    ? []
    : [fail("speech engine", "neither engine works", "Install Python 3.9+ with pip or a C++ compiler, then run: npm start")]
  return [...checks, ...engines, ...speech]
})
