/** The settings of the host. Keys of providers are not among them; see `KeyCommands.ts`. */
import * as Schema from "effect/Schema"
import { command } from "./Command.ts"

/** `provider.openwebui.url`; empty: all of it. */
const Path = Schema.String.check(Schema.isPattern(/^([A-Za-z]+(\.[A-Za-z]+)*)?$/))
const Source = Schema.Literals(["default", "file", "environment"])

export const GetConfig = command("config.get", {
  request: Schema.Struct({ path: Schema.optionalKey(Path) }),
  reply: Schema.Struct({
    /** The value that counts at this path, defaults filled in. */
    value: Schema.Json,
    /** Where a single value comes from; absent for a group of them. */
    source: Schema.optionalKey(Source),
    /** The configuration file. */
    file: Schema.String
  }),
  changes: false,
  means: "The settings that count, or the part of them at a path."
})

export const SetConfig = command("config.set", {
  request: Schema.Struct({
    path: Path.check(Schema.isMinLength(1)),
    /** Absent: back to the default. */
    value: Schema.optionalKey(Schema.Json)
  }),
  reply: Schema.Struct({
    path: Schema.String,
    value: Schema.Json,
    /** `turn`: used from the next turn on; `session`: by new sessions; `restart`: after `voxbus start` is run again. */
    applies: Schema.Literals(["turn", "session", "restart"]),
    /** A variable of the environment that wins over the file, so that this changes nothing while it is set. */
    hiddenBy: Schema.optionalKey(Schema.String)
  }),
  changes: true,
  admin: true,
  means: "Writes one setting to the configuration file, after the whole file has been checked with it."
})

export const CheckConfig = command("config.check", {
  request: Schema.Struct({}),
  reply: Schema.Struct({
    file: Schema.String,
    ok: Schema.Boolean,
    /** Every field that is wrong or unknown, with why. */
    problems: Schema.Array(Schema.String),
    /** Version of the file's format, and of today's. */
    version: Schema.Int,
    current: Schema.Int
  }),
  changes: false,
  means: "Checks the configuration file as it is on disk."
})

export const ConfigField = Schema.Struct({
  path: Schema.String,
  kind: Schema.Literals(["boolean", "integer", "number", "text", "choice", "list"]),
  /** Of a choice, or of the items of a list. */
  choices: Schema.optionalKey(Schema.Array(Schema.Json)),
  minimum: Schema.optionalKey(Schema.Finite),
  maximum: Schema.optionalKey(Schema.Finite),
  default: Schema.Json,
  /** What counts now, and where it comes from. */
  value: Schema.Json,
  source: Source,
  applies: SetConfig.reply.fields.applies,
  /** The variable of the environment that sets it now: writing it changes nothing meanwhile. */
  variable: Schema.optionalKey(Schema.String)
})
export type ConfigField = typeof ConfigField.Type

export const DescribeConfig = command("config.describe", {
  request: Schema.Struct({}),
  reply: Schema.Struct({ file: Schema.String, fields: Schema.Array(ConfigField) }),
  changes: false,
  admin: true,
  means: "Every setting with its kind, its limits, its default and the value that counts: what a form of them needs."
})
