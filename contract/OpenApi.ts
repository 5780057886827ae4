/** The commands as OpenAPI 3.1: what the gateway serves, made from the schemas it checks with. */
import * as Schema from "effect/Schema"
import { type CommandSpec, routeOf, scopeOf } from "./Command.ts"
import { COMMANDS } from "./Commands.ts"
import { ERRORS } from "./Errors.ts"
import { GATEWAY_PATHS } from "./GatewayRoutes.ts"
import { openAiPaths } from "./OpenAi.ts"

type Json = { readonly [key: string]: unknown }

const isObject = (value: unknown): value is Json => typeof value === "object" && value !== null && !Array.isArray(value)

/** A schema with its definitions moved to the components of the document. */
const schemaOf = (schema: Schema.Top, components: Record<string, unknown>): Json => {
  const document = Schema.toJsonSchemaDocument(schema)
  const text = JSON.stringify({ schema: document.schema, definitions: document.definitions }).replaceAll(
    "#/$defs/",
    "#/components/schemas/"
  )
  const moved: { readonly schema: Json; readonly definitions: Json } = JSON.parse(text)
  Object.assign(components, moved.definitions)
  return moved.schema
}

const resolve = (schema: Json, components: Json): Json => {
  const name = typeof schema["$ref"] === "string" ? schema["$ref"].split("/").at(-1) : undefined
  const found = name === undefined ? undefined : components[name]
  return isObject(found) ? found : schema
}

const operation = (spec: CommandSpec, components: Record<string, unknown>): Json => {
  const { method, path } = routeOf(spec)
  const request = schemaOf(spec.request, components)
  const { properties, required } = resolve(request, components)
  const fields: Json = isObject(properties) ? properties : {}
  const needed: ReadonlyArray<unknown> = Array.isArray(required) ? required : []
  const inPath = [...path.matchAll(/:(\w+)/g)].flatMap(([, name]) => (name === undefined ? [] : [name]))
  const inQuery = method === "GET" || method === "DELETE" ? Object.keys(fields).filter((name) => !inPath.includes(name)) : []
  const body = Object.entries(fields).filter(([name]) => !inPath.includes(name) && !inQuery.includes(name))
  const parameter = (place: "path" | "query") => (name: string) => ({
    name,
    in: place,
    required: place === "path" || needed.includes(name),
    schema: fields[name] ?? { type: "string" }
  })
  return {
    operationId: spec.name,
    summary: spec.means,
    tags: [spec.name.split(".")[0]],
    "x-scope": scopeOf(spec),
    parameters: [...inPath.map(parameter("path")), ...inQuery.map(parameter("query"))],
    ...(body.length === 0
      ? {}
      : {
          requestBody: {
            required: body.some(([name]) => needed.includes(name)),
            content: {
              "application/json": {
                schema: {
                  type: "object",
                  properties: Object.fromEntries(body),
                  required: body.flatMap(([name]) => (needed.includes(name) ? [name] : [])),
                  additionalProperties: false
                }
              }
            }
          }
        }),
    responses: {
      "200": { description: "The reply.", content: { "application/json": { schema: schemaOf(spec.reply, components) } } },
      default: { $ref: "#/components/responses/Problem" }
    }
  }
}

/** The document. `server` is the address of the gateway. */
export const openApi = (version: string, server: string): Json => {
  const schemas: Record<string, unknown> = {}
  const paths: Record<string, Record<string, Json>> = {}
  for (const spec of COMMANDS) {
    const { method, path } = routeOf(spec)
    const at = `/api${path.replaceAll(/:(\w+)/g, "{$1}")}`
    paths[at] = { ...paths[at], [method.toLowerCase()]: operation(spec, schemas) }
  }
  const others = { ...GATEWAY_PATHS, ...openAiPaths((schema) => schemaOf(schema, schemas)) }
  for (const [at, operations] of Object.entries(others)) paths[at] = { ...paths[at], ...operations }
  return {
    openapi: "3.1.0",
    info: {
      title: "Voxbus",
      version,
      license: { name: "MIT", identifier: "MIT" },
      description: "Everything that can be asked of a running Voxbus."
    },
    servers: [{ url: server }],
    security: [{ token: [] }],
    paths,
    components: {
      securitySchemes: { token: { type: "http", scheme: "bearer", description: "`npx voxbus token` prints it." } },
      responses: {
        Problem: {
          description: "What went wrong and what to do.",
          content: { "application/json": { schema: { $ref: "#/components/schemas/Problem" } } }
        }
      },
      schemas: {
        ...schemas,
        Problem: {
          type: "object",
          properties: {
            error: { enum: Object.keys(ERRORS) },
            message: { type: "string" },
            details: { type: "object" },
            request_id: { type: "string" },
            recoverable: { type: "boolean" }
          },
          required: ["error", "message", "details", "request_id", "recoverable"]
        }
      }
    }
  }
}
