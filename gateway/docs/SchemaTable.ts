/** A JSON Schema as a table that a person reads: a row for each field, nested ones below it. */
import { type Html, html } from "./Html.ts"

export type Json = { readonly [key: string]: unknown }

export const isObject = (value: unknown): value is Json => typeof value === "object" && value !== null && !Array.isArray(value)

/** The text that a member of a document should be; empty where it is not. */
export const textOf = (value: unknown): string => (typeof value === "string" ? value : "")

const listOf = (value: unknown): ReadonlyArray<unknown> => (Array.isArray(value) ? value : [])

/** Deeper fields are named by their type alone. */
const DEEPEST = 4

const referenceOf = (schema: Json): string | undefined =>
  typeof schema["$ref"] === "string" ? schema["$ref"].split("/").at(-1) : undefined

/** What a `$ref` names, by its last part. */
const resolved = (schema: Json, definitions: Json): Json => {
  const name = referenceOf(schema)
  const found = name === undefined ? undefined : definitions[name]
  return isObject(found) ? found : schema
}

const partsOf = (schema: Json): ReadonlyArray<Json> => [...listOf(schema["anyOf"]), ...listOf(schema["oneOf"])].filter(isObject)

const limitsOf = (schema: Json): string => {
  const all = [schema, ...listOf(schema["allOf"]).filter(isObject)]
  const of = (name: string) => all.map((each) => each[name]).find((value) => value !== undefined)
  const [least, most] = [of("minimum") ?? of("minLength") ?? of("minItems"), of("maximum") ?? of("maxLength") ?? of("maxItems")]
  const pattern = of("pattern")
  const range =
    least === undefined
      ? most === undefined
        ? ""
        : ` up to ${String(most)}`
      : ` ${String(least)}..${most === undefined ? "" : String(most)}`
  return `${range}${typeof pattern === "string" ? ` /${pattern}/` : ""}`
}

/** `string`, `"call" | "assistant"`, `array of object`. */
export const typeOf = (given: Json, definitions: Json): string => {
  const schema = resolved(given, definitions)
  const values = schema["const"] === undefined ? listOf(schema["enum"]) : [schema["const"]]
  if (values.length > 0) return values.map((value) => JSON.stringify(value)).join(" | ")
  const parts = partsOf(schema)
  if (parts.length > 0) return [...new Set(parts.map((part) => typeOf(part, definitions)))].join(" | ")
  const type = schema["type"]
  if (type === "array") return `array of ${isObject(schema["items"]) ? typeOf(schema["items"], definitions) : "anything"}`
  return typeof type === "string" ? `${type}${limitsOf(schema)}` : "anything"
}

/** The objects inside a schema: itself, what its array holds, its alternatives. */
const objectsIn = (given: Json, definitions: Json): ReadonlyArray<Json> => {
  const schema = resolved(given, definitions)
  if (isObject(schema["properties"])) return [schema]
  if (isObject(schema["items"])) return objectsIn(schema["items"], definitions)
  return partsOf(schema).flatMap((part) => objectsIn(part, definitions))
}

const table = (schema: Json, definitions: Json, seen: ReadonlyArray<Json>): Html => {
  const required = listOf(schema["required"])
  const properties = isObject(schema["properties"]) ? schema["properties"] : {}
  const rows = Object.entries(properties).flatMap(([name, field]) => (isObject(field) ? [{ name, field }] : []))
  return html`<table>
    <thead>
      <tr>
        <th scope="col">field</th>
        <th scope="col">type</th>
        <th scope="col"></th>
      </tr>
    </thead>
    <tbody>
      ${rows.map(
        ({ name, field }) =>
          html`<tr>
            <th scope="row"><code>${name}</code></th>
            <td>
              <code>${typeOf(field, definitions)}</code>
              ${nested(field, definitions, [...seen, schema])}
            </td>
            <td>${required.includes(name) ? "" : "optional"}</td>
          </tr>`
      )}
    </tbody>
  </table>`
}

const nested = (field: Json, definitions: Json, seen: ReadonlyArray<Json>): ReadonlyArray<Html> =>
  seen.length > DEEPEST
    ? []
    : objectsIn(field, definitions)
        .filter((each) => !seen.includes(each))
        .map(
          (each) =>
            html`<details>
              <summary>fields</summary>
              ${table(each, definitions, seen)}
            </details>`
        )

/** @param definitions what its references name */
export const schemaTable = (schema: Json, definitions: Json): Html => {
  const [first, ...others] = objectsIn(schema, definitions)
  if (first === undefined) return html`<p><code>${typeOf(schema, definitions)}</code></p>`
  const rows = isObject(first["properties"]) ? Object.keys(first["properties"]).length : 0
  if (others.length === 0 && rows === 0) return html`<p>Nothing.</p>`
  return html`${[first, ...others].map((each, index) => html`${index === 0 ? undefined : html`<p>or</p>`}${table(each, definitions, [])}`)}`
}
