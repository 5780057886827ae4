/** `/docs/events`: the AsyncAPI document for people. */
import { anchor, type Html, html, page } from "./Html.ts"
import { isObject, type Json, schemaTable, textOf } from "./SchemaTable.ts"

const entriesOf = (value: unknown): ReadonlyArray<readonly [string, Json]> =>
  Object.entries(isObject(value) ? value : {}).flatMap(([name, each]) => (isObject(each) ? [[name, each] as const] : []))

/** The schema in a file of `schemas/`. */
const fields = (schemas: ReadonlyMap<string, Json>, file: string): Html => {
  const schema = schemas.get(file)
  if (schema === undefined) return html`<p>Nothing.</p>`
  return schemaTable(schema, isObject(schema["$defs"]) ? schema["$defs"] : {})
}

const parameters = (channel: Json): Html => {
  const found = entriesOf(channel["parameters"])
  return html`<dl>
    ${found.map(
      ([name, { description }]) =>
        html`<dt><code>{${name}}</code></dt>
          <dd>${textOf(description)}</dd>`
    )}
  </dl>`
}

const event = (name: string, channel: Json, schemas: ReadonlyMap<string, Json>): Html =>
  html`<section aria-labelledby="${anchor(name)}">
    <h3 id="${anchor(name)}"><code>${name}</code></h3>
    <p><code>${textOf(channel["address"])}</code></p>
    ${parameters(channel)}
    <details>
      <summary>Body</summary>
      ${fields(schemas, `${name}.json`)}
    </details>
  </section>`

const command = (name: string, channel: Json, schemas: ReadonlyMap<string, Json>): Html =>
  html`<section aria-labelledby="${anchor(name)}">
    <h3 id="${anchor(name)}"><code>${name}</code></h3>
    <p>${textOf(channel["description"])}</p>
    <details>
      <summary>Request</summary>
      ${fields(schemas, `${name}.request.json`)}
    </details>
    <details>
      <summary>Reply</summary>
      ${fields(schemas, `${name}.reply.json`)}
    </details>
  </section>`

const streams = (document: Json): Html => {
  const found = (Array.isArray(document["x-streams"]) ? document["x-streams"] : []).filter(isObject)
  return html`<h2 id="streams">Streams</h2>
    <table>
      <tbody>
        ${found.map(
          (each) =>
            html`<tr>
              <th scope="row"><code>${textOf(each["name"])}</code></th>
              <td>${textOf(each["storage"])}</td>
              <td>${textOf(each["means"])}</td>
            </tr>`
        )}
      </tbody>
    </table>`
}

/** @param schemas file name below `schemas/` to its content */
export const eventsPage = (document: Json, schemas: ReadonlyMap<string, Json>): string => {
  const channels = entriesOf(document["channels"])
  const events = channels.filter(([name]) => !name.startsWith("cmd."))
  const commands = channels.filter(([name]) => name.startsWith("cmd."))
  const nouns = [...new Set(events.map(([name]) => name.split(".")[0] ?? ""))]
  return page({
    title: "Voxbus on the bus",
    lead: html`<p>
      ${events.length} events and ${commands.length} commands on NATS JetStream. <code>npx voxbus creds issue NAME --read</code> makes a
      user; bodies are JSON, positions are integer samples at 16 kHz. For programs: <a href="/api/asyncapi.json">/api/asyncapi.json</a>.
    </p>`,
    groups: [
      ...nouns.map((noun) => ({ name: noun, links: events.flatMap(([name]) => (name.startsWith(`${noun}.`) ? [name] : [])) })),
      { name: "commands", links: commands.map(([name]) => name) },
      { name: "streams", links: ["streams"] }
    ],
    body: [
      html`<h2>Events</h2>`,
      ...events.map(([name, channel]) => event(name, channel, schemas)),
      html`<h2>Commands</h2>`,
      ...commands.map(([name, channel]) => command(name, channel, schemas)),
      streams(document)
    ]
  })
}
