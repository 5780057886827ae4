/**
 * The frame of every benchmark: options, what it does and on what machine, the result as lines for a person or, with
 * `--json`, as one object on standard output. Nothing of it is a test: there is no limit that fails.
 */
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import type * as Scope from "effect/Scope"
import { parseArgs, type ParseArgsConfig } from "node:util"
import { ERRORS } from "../../contract/Errors.ts"
import { describe, Retryable, Terminal } from "../../kernel/Failure.ts"
import { logLayer } from "../../kernel/Log.ts"
import { Models } from "../../kernel/Models.ts"
import { Settings } from "../../kernel/Settings.ts"
import { load, machine } from "./Machine.ts"
import { openWorkspace } from "./Workspace.ts"

export interface Choice {
  readonly default: number | boolean | string
  readonly means: string
}
export type Options = Readonly<Record<string, Choice>>
/** The values of the options: a number, a switch or a text as their defaults are. */
export type Values<O extends Options> = {
  readonly [K in keyof O]: O[K]["default"] extends number ? number : O[K]["default"] extends boolean ? boolean : string
}

export interface Benchmark<O extends Options> {
  readonly name: string
  /** How it measures, in sentences for the reader of the figures. */
  readonly method: string
  readonly options: O
  readonly run: (
    values: Values<O>,
    say: (line: string) => void
  ) => Effect.Effect<Readonly<Record<string, unknown>>, Retryable | Terminal, Settings | Models | Scope.Scope>
}

/** Per cent of the processors taken by others, above which the figures come with a warning. */
const BUSY = 10

const usage = (name: string, method: string, options: Options): string =>
  [
    `node bench/${name}.ts [options]`,
    "",
    method,
    "",
    ...Object.entries(options).map(([option, { default: value, means }]) => `  --${option.padEnd(14)} ${means} (default ${value})`),
    `  --${"json".padEnd(14)} print the result as one JSON object; everything else goes to standard error`
  ].join("\n")

const parse = <O extends Options>(options: O): Values<O> & { readonly json: boolean; readonly help: boolean } => {
  const config: NonNullable<ParseArgsConfig["options"]> = { json: { type: "boolean" }, help: { type: "boolean", short: "h" } }
  for (const [name, { default: value }] of Object.entries(options))
    config[name] = { type: typeof value === "boolean" ? "boolean" : "string" }
  const { values } = parseArgs({ options: config })
  const parsed = Object.entries(options).map(([name, { default: value }]) => {
    const given = values[name]
    if (typeof value !== "number" || given === undefined) return [name, given ?? value] as const
    const number = Number(given)
    if (!Number.isFinite(number) || number < 0) throw new Error(`--${name} needs a number, not "${String(given)}".`)
    return [name, number] as const
  })
  // The entries are those of `options`, each of its default's type.
  return Object.fromEntries([...parsed, ["json", values["json"] === true], ["help", values["help"] === true]]) as Values<O> & {
    readonly json: boolean
    readonly help: boolean
  }
}

const failed = (cause: Cause.Cause<unknown>) =>
  Effect.sync(() => {
    if (Cause.hasInterruptsOnly(cause)) return void process.stderr.write("Ended by a signal before it was finished.\n")
    const error = Option.getOrElse(Cause.findErrorOption(cause), () => Cause.squash(cause))
    const fix = error instanceof Terminal || error instanceof Retryable ? `\n  ${ERRORS[error.code].fix} [${error.code}]` : ""
    process.stderr.write(`${describe(error)}${fix}\n`)
    process.exitCode = 1
  })

/** Runs the benchmark of this process. */
export const bench = <O extends Options>(benchmark: Benchmark<O>): void => {
  let values
  try {
    values = parse(benchmark.options)
  } catch (cause) {
    process.stderr.write(`${describe(cause)}\n`)
    process.exitCode = 2
    return
  }
  const { json, help } = values
  if (help) return void process.stdout.write(`${usage(benchmark.name, benchmark.method, benchmark.options)}\n`)
  const say = (line: string) => void (json ? process.stderr : process.stdout).write(`${line}\n`)
  const settings = values
  const program = Effect.gen(function* () {
    const here = yield* machine
    say(`${benchmark.name}: ${benchmark.method}\n`)
    say(
      `  ${here.cpu}, ${here.cores} cores, ${here.memoryGiB} GiB, ${here.system}, busy ${here.busyPercent} %, load ${here.loadAverage.join(" ")}`
    )
    say(
      `  ${Object.entries(here.versions)
        .map(([name, version]) => `${name} ${version}`)
        .join(", ")}\n`
    )
    if (here.busyPercent > BUSY)
      say(`  Other work takes ${here.busyPercent} % of the processors: the figures are not those of an idle machine.\n`)
    const result = yield* benchmark.run(settings, say)
    const { json: _, help: __, ...options } = settings
    if (json)
      process.stdout.write(
        `${JSON.stringify({ bench: benchmark.name, method: benchmark.method, machine: here, options, loadAverageAtEnd: load(), ...result })}\n`
      )
    else say(`\n  load average at the end: ${load().join(" ")}`)
  })
  const services = Models.layer.pipe(Layer.provideMerge(Layer.unwrap(Effect.as(openWorkspace, Settings.layer()))))
  program.pipe(
    Effect.scoped,
    Effect.provide(services),
    Effect.catchCause(failed),
    Effect.provide(logLayer("Warn", "text")),
    NodeRuntime.runMain({ disableErrorReporting: true })
  )
}
