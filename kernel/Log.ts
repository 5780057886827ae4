/**
 * The one logger: a line per entry on standard error, so that standard output stays for results. It logs structure
 * (subjects, codes, counts, milliseconds), never content: words, audio and keys have no way in but the caller's care,
 * which `test/privacy.test.ts` checks.
 */
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import type * as LogLevel from "effect/LogLevel"
import * as References from "effect/References"
import * as Schema from "effect/Schema"
import { readFileSync } from "node:fs"
import { homedir } from "node:os"
import { join } from "node:path"

const Level = Schema.fromJsonString(Schema.Struct({ log: Schema.optionalKey(Schema.Struct({ level: Schema.optionalKey(Schema.String) })) }))

type LogFormat = "text" | "json"

const toStderr = (line: string): void => void process.stderr.write(`${line}\n`)

/** @param level entries below it are dropped */
export const logLayer = (level: LogLevel.LogLevel, format: LogFormat) =>
  Layer.merge(
    Logger.layer([Logger.map(format === "json" ? Logger.formatJson : Logger.formatLogFmt, toStderr)]),
    Layer.succeed(References.MinimumLogLevel, level)
  )

const LEVELS: Readonly<Record<string, LogLevel.LogLevel>> = { debug: "Debug", info: "Info", warning: "Warn", error: "Error", none: "None" }

/** `log.level` of the configuration file; read here because the log is there before the settings are. */
const fromFile = (): string => {
  try {
    const home = process.env["VOXBUS_HOME"] || join(homedir(), ".voxbus")
    return Schema.decodeUnknownSync(Level)(readFileSync(join(home, "config.json"), "utf8")).log?.level ?? ""
  } catch {
    return ""
  }
}

/** As `VOXBUS_LOG_LEVEL` (else the configuration file) and `VOXBUS_LOG_FORMAT` say. */
export const logFromEnvironment = (otherwise: LogLevel.LogLevel) =>
  logLayer(
    LEVELS[process.env["VOXBUS_LOG_LEVEL"] || fromFile()] ?? otherwise,
    process.env["VOXBUS_LOG_FORMAT"] === "json" ? "json" : "text"
  )
