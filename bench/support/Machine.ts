/** What a figure was measured with: the machine, how busy it was, and the versions of what computed. */
import * as Effect from "effect/Effect"
import { spawnSync } from "node:child_process"
import { readFileSync } from "node:fs"
import { availableParallelism, cpus, loadavg, release, totalmem } from "node:os"
import { Models } from "../../kernel/Models.ts"
import { round, sum } from "./Stats.ts"

const PACKAGES = ["effect", "@nats-io/jetstream", "node-av", "node-llama-cpp", "sherpa-onnx-node", "smart-whisper"]
const VERSIONS = `import importlib.metadata as m; print(*(f"{n}={m.version(n)}" for n in ("faster-whisper", "ctranslate2", "numpy")))`

const output = (file: string, args: ReadonlyArray<string>): string => {
  const { status, stdout } = spawnSync(file, [...args], { encoding: "utf8" })
  return status === 0 ? stdout.trim() : ""
}

const packageVersion = (name: string): string => {
  const file: { readonly version: string } = JSON.parse(
    readFileSync(new URL(`../../node_modules/${name}/package.json`, import.meta.url), "utf8")
  )
  return file.version
}

const own: { readonly version: string } = JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8"))

/** One-minute load average now: above 0.5 on an idle machine, something else runs. */
/** Load averages of 1 and 5 minutes. */
export const load = (): ReadonlyArray<number> =>
  loadavg()
    .slice(0, 2)
    .map((value) => round(value, 2))

const ticks = () =>
  cpus().reduce((total, { times }) => ({ idle: total.idle + times.idle, all: total.all + sum(Object.values(times)) }), { idle: 0, all: 0 })

/** Share of the processors that other work takes, over a second in which this process does nothing. */
const busyPercent = Effect.gen(function* () {
  const before = ticks()
  yield* Effect.sleep("1 second")
  const after = ticks()
  return round(100 * (1 - (after.idle - before.idle) / Math.max(1, after.all - before.all)))
})

export const machine = Effect.gen(function* () {
  const models = yield* Models
  const server = yield* Effect.option(models.locate("nats-server"))
  const python = yield* Effect.option(models.locate("python-ctranslate2"))
  const versions: Record<string, string> = { voxbus: own.version, node: process.versions.node }
  for (const name of PACKAGES) versions[name] = packageVersion(name)
  if (server._tag === "Some") versions["nats-server"] = output(server.value.path("binary"), ["--version"]).replace(/^.*v/, "")
  if (python._tag === "Some") {
    for (const pair of output(python.value.path("python"), ["-c", VERSIONS]).split(" ")) {
      const [name = "", version = ""] = pair.split("=")
      if (name !== "") versions[name] = version
    }
  }
  return {
    cpu: cpus()[0]?.model.trim() ?? "unknown",
    cores: availableParallelism(),
    memoryGiB: round(totalmem() / 2 ** 30),
    system: `${process.platform}-${process.arch} ${release()}`,
    busyPercent: yield* busyPercent,
    loadAverage: load(),
    versions
  }
})
export type Machine = Effect.Success<typeof machine>
