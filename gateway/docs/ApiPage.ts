/** `/docs/api`: the OpenAPI document for people. */
import { anchor, type Html, html, page } from "./Html.ts"
import { isObject, type Json, schemaTable, textOf, typeOf } from "./SchemaTable.ts"

const at = (value: unknown, ...path: ReadonlyArray<string>): unknown =>
  path.reduce<unknown>((found, key) => (isObject(found) ? found[key] : undefined), value)

interface Operation {
  readonly method: string
  readonly path: string
  readonly area: string
  readonly spec: Json
}

/** Every operation of the document, in its order. */
const operationsOf = (document: Json): ReadonlyArray<Operation> =>
  Object.entries(isObject(document["paths"]) ? document["paths"] : {}).flatMap(([path, methods]) =>
    Object.entries(isObject(methods) ? methods : {}).flatMap(([method, spec]) =>
      isObject(spec)
        ? [
            {
              method: method.toUpperCase(),
              path,
              area: textOf(Array.isArray(spec["tags"]) ? spec["tags"][0] : undefined) || (path.split("/")[2] ?? path),
              spec
            }
          ]
        : []
    )
  )

const titleOf = ({ method, path }: Operation) => `${method} ${path}`

const parameters = ({ spec }: Operation, definitions: Json): Html | undefined => {
  const found = (Array.isArray(spec["parameters"]) ? spec["parameters"] : []).filter(isObject)
  if (found.length === 0) return undefined
  return html`<h4>Parameters</h4>
    <table>
      <tbody>
        ${found.map(
          (each) =>
            html`<tr>
              <th scope="row"><code>${textOf(each["name"])}</code></th>
              <td>${textOf(each["in"])}</td>
              <td><code>${isObject(each["schema"]) ? typeOf(each["schema"], definitions) : ""}</code></td>
              <td>${each["required"] === true ? "" : "optional"}</td>
            </tr>`
        )}
      </tbody>
    </table>`
}

const contentOf = (holder: unknown): Json => {
  const found = at(holder, "content")
  return isObject(found) ? found : {}
}

/** What a request or an answer holds, by media type. */
const content = (holder: unknown, definitions: Json): ReadonlyArray<Html> =>
  Object.entries(contentOf(holder)).map(([type, each]) => {
    const schema = at(each, "schema")
    return html`<p><code>${type}</code></p>
      ${isObject(schema) ? schemaTable(schema, definitions) : undefined}`
  })

const section = (operation: Operation, definitions: Json): Html => {
  const { method, path, spec } = operation
  const body = content(spec["requestBody"], definitions)
  const reply = content(at(spec, "responses", "200"), definitions)
  return html`<section aria-labelledby="${anchor(titleOf(operation))}">
    <h3 id="${anchor(titleOf(operation))}"><code>${method} ${path}</code></h3>
    <p>${textOf(spec["summary"])} <small>scope ${textOf(spec["x-scope"]) || "none"}</small></p>
    ${parameters(operation, definitions)}${
      body.length === 0
        ? undefined
        : html`<h4>Body</h4>
            ${body}`
    }${
      reply.length === 0
        ? undefined
        : html`<details>
            <summary>Reply</summary>
            ${reply}
          </details>`
    }
  </section>`
}

export const apiPage = (document: Json): string => {
  const operations = operationsOf(document)
  const definitions = at(document, "components", "schemas")
  const areas = [...new Set(operations.map(({ area }) => area))].toSorted()
  const of = (area: string) => operations.filter((each) => each.area === area)
  return page({
    title: "Voxbus over HTTP",
    lead: html`<p>
      ${operations.length} operations. Send <code>Authorization: Bearer TOKEN</code>; <code>npx voxbus token</code> prints it. The document
      for programs is <a href="/api/openapi.json">/api/openapi.json</a>. Failures are
      <code>{ error, message, details, request_id, recoverable }</code>.
    </p>`,
    groups: areas.map((area) => ({ name: area, links: of(area).map(titleOf) })),
    body: areas.map(
      (area) =>
        html`<h2>${area}</h2>
          ${of(area).map((operation) => section(operation, isObject(definitions) ? definitions : {}))}`
    )
  })
}
