/** Every single setting of the configuration file, with its kind, limits and default: read off the schema. */
import * as Schema from "effect/Schema"
import { isTree, type Tree } from "./Settings.ts"
import { SettingsFile } from "./SettingsFile.ts"

export interface SettingField {
  /** `gateway.port`. */
  readonly path: string
  readonly kind: "boolean" | "integer" | "number" | "text" | "choice" | "list"
  readonly choices?: ReadonlyArray<Schema.Json>
  readonly minimum?: number
  readonly maximum?: number
  readonly default: Schema.Json
}

const json = Schema.decodeUnknownSync(Schema.Json)
const DEFAULTS: unknown = Schema.encodeSync(SettingsFile)(Schema.decodeUnknownSync(SettingsFile)({}))

const kindOf = (schema: Tree): SettingField["kind"] => {
  if (schema["type"] === "array") return "list"
  if (Array.isArray(schema["enum"])) return "choice"
  const type = schema["type"]
  return type === "boolean" || type === "integer" || type === "number" ? type : "text"
}

/** Limits may stand in the schema or in parts that all hold. */
const limit = (schema: Tree, name: "minimum" | "maximum"): number | undefined =>
  [schema, ...(Array.isArray(schema["allOf"]) ? schema["allOf"].filter(isTree) : [])]
    .map((part) => part[name])
    // The largest number there is says nothing to a person.
    .find((value): value is number => typeof value === "number" && Math.abs(value) < Number.MAX_SAFE_INTEGER)

const choicesOf = (schema: Tree): ReadonlyArray<unknown> | undefined => {
  if (Array.isArray(schema["enum"])) return schema["enum"]
  return isTree(schema["items"]) ? choicesOf(schema["items"]) : undefined
}

const fieldsOf = (schema: Tree, defaults: unknown, path: ReadonlyArray<string>): ReadonlyArray<SettingField> => {
  if (isTree(schema["properties"]))
    return Object.entries(schema["properties"]).flatMap(([key, child]) =>
      isTree(child) ? fieldsOf(child, isTree(defaults) ? defaults[key] : undefined, [...path, key]) : []
    )
  const [minimum, maximum, choices] = [limit(schema, "minimum"), limit(schema, "maximum"), choicesOf(schema)]
  return [
    {
      path: path.join("."),
      kind: kindOf(schema),
      default: json(defaults ?? null),
      ...(choices === undefined ? {} : { choices: choices.map((choice) => json(choice)) }),
      ...(minimum === undefined ? {} : { minimum }),
      ...(maximum === undefined ? {} : { maximum })
    }
  ]
}

/** In the order of the schema; the version of the format is not for people. */
export const settingFields: ReadonlyArray<SettingField> = fieldsOf(
  Schema.toJsonSchemaDocument(SettingsFile).schema as Tree,
  DEFAULTS,
  []
).filter(({ path }) => path !== "version")
