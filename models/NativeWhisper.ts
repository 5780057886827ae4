/**
 * Compiles smart-whisper (whisper.cpp in Node) for the processor of this machine. As npm builds it, for any processor,
 * it is 12 times slower than it need be; so it is built here, once per processor, in 20 to 60 s.
 *
 * On Linux the compiler is called directly: npm's way (node-gyp) needs Python, and this engine is for machines without
 * one. The npm package `node` brings the headers. macOS and Windows build with npm and their default flags (Accelerate
 * and Metal on a Mac). OpenMP is left out: this version of ggml uses its own threads unless told otherwise.
 */
import * as Effect from "effect/Effect"
import { createHash } from "node:crypto"
import { existsSync, readdirSync, readFileSync } from "node:fs"
import { mkdir, rename, rm, writeFile } from "node:fs/promises"
import { createRequire } from "node:module"
import { availableParallelism, cpus } from "node:os"
import { basename, join } from "node:path"
import { fileURLToPath } from "node:url"
import { describe, Terminal } from "../kernel/Failure.ts"
import { Settings } from "../kernel/Settings.ts"
import { complaint, run } from "./Command.ts"
import { lockFile } from "./Installed.ts"
import { withLock } from "./Lock.ts"

const MODULES = fileURLToPath(new URL("../node_modules", import.meta.url))
const PACKAGE = join(MODULES, "smart-whisper")
const ADDON = join(PACKAGE, "build", "Release", "smart-whisper.node")
/** For which processor and with which flags the addon was built. */
const MARKER = join(PACKAGE, "build", "voxbus-build.json")

/** `VOXBUS_WHISPER_CPP_MARCH`: what follows `-march=`; `none` for a build that runs on any processor of the family. */
const march = (): ReadonlyArray<string> => {
  const chosen = process.env["VOXBUS_WHISPER_CPP_MARCH"] || "native"
  return process.platform !== "linux" || chosen === "none" ? [] : [`-march=${chosen}`]
}

/** What the processor can do: virtual machines all have the same name. */
const features = (): string => {
  const line = existsSync("/proc/cpuinfo") ? /^(flags|Features)\s*:.*$/m.exec(readFileSync("/proc/cpuinfo", "utf8")) : null
  return createHash("sha256")
    .update(line?.[0] ?? "")
    .digest("hex")
    .slice(0, 16)
}

const fingerprint = (): string =>
  JSON.stringify({
    cpu: cpus()[0]?.model ?? "unknown",
    features: features(),
    platform: `${process.platform}-${process.arch}`,
    flags: march().join(" ")
  })

/** Built, and for this processor. */
export const isWhisperBuilt = (): boolean => {
  try {
    return existsSync(ADDON) && readFileSync(MARKER, "utf8").trim() === fingerprint()
  } catch {
    return false
  }
}

/** Folder with `include/node` of the Node 24 in node_modules, where the platform's package has one. */
const nodeHeaders = (): string | undefined => {
  const packages = join(MODULES, "node", "node_modules")
  const name = existsSync(packages)
    ? readdirSync(packages).find((name) => existsSync(join(packages, name, "include", "node", "node_api.h")))
    : undefined
  return name === undefined ? undefined : join(packages, name)
}

const noCompiler = (tried: string, outcome: string): Terminal =>
  new Terminal({
    code: "setup.compiler",
    message: `whisper.cpp could not be compiled: ${tried} (${outcome}). Install a C++ compiler (Debian: apt install build-essential; macOS: xcode-select --install), or Python 3.9 or newer with pip for the other engine.`
  })

interface BuildRecipe {
  readonly sources: string
}

/** Objects in parallel, never more than cores, then one link; the addon appears by a rename. */
const compileDirectly = Effect.fnUntraced(function* (headers: string, report: (done: number, total: number) => void) {
  const cc = process.env["CC"] || "cc"
  const cxx = process.env["CXX"] || "c++"
  const found = yield* run(cxx, ["--version"])
  if (found.code !== 0) return yield* noCompiler(`${cxx} was not found`, complaint(found))
  // The package's own choice is OpenBLAS where that is installed, which is slower here.
  process.env["COMPUTE_BACKEND"] ??= "cpu"
  const recipe = createRequire(import.meta.url)(join(PACKAGE, "dist", "build.js")) as BuildRecipe
  const binding = readdirSync(join(PACKAGE, "src", "binding")).filter((name) => name.endsWith(".cc"))
  const sources = [
    ...binding.map((name) => join("src", "binding", name)),
    ...recipe.sources.split(" ").filter((name) => !name.endsWith(".m"))
  ]
  const objects = join(PACKAGE, "build", ".objects")
  const include = [
    join(headers, "include", "node"),
    "node_modules/node-addon-api",
    "../node-addon-api",
    "whisper.cpp/include",
    "whisper.cpp/ggml/include",
    "whisper.cpp/ggml/src"
  ]
  const flags = [
    "-O3",
    "-fPIC",
    "-pthread",
    "-D_GNU_SOURCE",
    ...march(),
    "-DNODE_GYP_MODULE_NAME=smart-whisper",
    "-DBUILDING_NODE_EXTENSION",
    ...include.map((folder) => `-I${folder}`)
  ]
  yield* Effect.promise(() => mkdir(objects, { recursive: true }))
  let done = 0
  const compile = Effect.fnUntraced(function* (source: string) {
    const object = join(objects, `${basename(source)}.o`)
    const [command, standard] = source.endsWith(".c") ? ([cc, ["-std=gnu11"]] as const) : ([cxx, ["-std=gnu++17", "-fexceptions"]] as const)
    const outcome = yield* run(command, [...standard, ...flags, "-c", source, "-o", object], { cwd: PACKAGE })
    if (outcome.code !== 0) return yield* noCompiler(`${command} failed on ${basename(source)}`, complaint(outcome))
    report((done += 1), sources.length + 1)
    return object
  })
  const files = yield* Effect.forEach(sources, compile, { concurrency: availableParallelism() })
  yield* Effect.promise(() => mkdir(join(PACKAGE, "build", "Release"), { recursive: true }))
  const linked = yield* run(cxx, ["-shared", "-pthread", "-o", `${ADDON}.new`, ...files], { cwd: PACKAGE })
  if (linked.code !== 0) return yield* noCompiler("linking failed", complaint(linked))
  yield* Effect.promise(() => rename(`${ADDON}.new`, ADDON))
  yield* Effect.promise(() => rm(objects, { recursive: true, force: true }))
})

const compileWithNpm = Effect.fnUntraced(function* (headers: string | undefined) {
  const windows = process.platform === "win32"
  const outcome = yield* run(windows ? "npm.cmd" : "npm", ["rebuild", "smart-whisper", "--ignore-scripts=false"], {
    cwd: join(MODULES, ".."),
    shell: windows,
    env: headers === undefined || windows ? {} : { npm_config_nodedir: headers }
  })
  if (outcome.code !== 0 || !existsSync(ADDON)) return yield* noCompiler("npm rebuild smart-whisper failed", complaint(outcome))
})

/** Builds the addon unless that is done. */
export const buildWhisper = Effect.fnUntraced(function* (report: (step: string, done: number, total: number) => void) {
  if (isWhisperBuilt()) return
  const { cache } = yield* Settings
  const once = Effect.gen(function* () {
    if (isWhisperBuilt()) return
    const step = "compiling whisper.cpp for this processor"
    report(step, 0, 0)
    const headers = nodeHeaders()
    if (process.platform === "linux" && headers !== undefined) yield* compileDirectly(headers, (done, total) => report(step, done, total))
    else yield* compileWithNpm(headers)
    yield* Effect.promise(() => writeFile(MARKER, `${fingerprint()}\n`))
  })
  yield* withLock(lockFile(cache, "smart-whisper"), () => report("waiting for another process that compiles whisper.cpp", 0, 0), once).pipe(
    Effect.catchDefect(
      (cause) => new Terminal({ code: "setup.compiler", message: `whisper.cpp could not be compiled: ${describe(cause)}`, cause })
    )
  )
})
