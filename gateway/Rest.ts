/**
 * Every command of the contract over HTTP, below `/api`. The path, the query and the JSON body together are the request;
 * the reply is the JSON answer. What a command takes and gives is in `/api/openapi.json`.
 *
 * Text of the path and the query becomes a number or a boolean where the schema of the field wants one.
 */
import * as Effect from "effect/Effect"
import * as HttpRouter from "effect/http/HttpRouter"
import * as HttpServerRequest from "effect/http/HttpServerRequest"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import { type CommandSpec, routeOf, scopeOf } from "../contract/Command.ts"
import { COMMANDS } from "../contract/Commands.ts"
import { Bus } from "../kernel/Bus.ts"
import { callJson } from "../kernel/Commands.ts"
import { describe, type Failure, Terminal } from "../kernel/Failure.ts"
import { Settings } from "../kernel/Settings.ts"
import { Caller, demand, RequestId } from "./Access.ts"
import { problemResponse } from "./Problem.ts"
import { Limited, makeRateLimit, type RateLimit } from "./RateLimit.ts"

/** Largest body, bytes; a message on the bus is at most as large. */
export const MAX_BODY_BYTES = 900_000
/** The header and the field of the request that it is: of recordings, of jobs and imports. */
const IDEMPOTENCY_HEADER = "idempotency-key"
const IDEMPOTENCY_FIELDS = ["idempotencyKey", "key"]

type Fields = Record<string, unknown>
type JsonSchema = { readonly [key: string]: unknown }

const isObject = (value: unknown): value is Fields => typeof value === "object" && value !== null && !Array.isArray(value)

/** What the JSON schema of the request says of each of its fields. */
export const propertiesOf = (spec: CommandSpec): Readonly<Record<string, JsonSchema>> => {
  const { schema, definitions } = Schema.toJsonSchemaDocument(spec.request)
  const reference = typeof schema["$ref"] === "string" ? schema["$ref"].split("/").at(-1) : undefined
  const resolved = reference === undefined ? schema : definitions[reference]
  const properties = isObject(resolved) ? resolved["properties"] : undefined
  return isObject(properties) ? (properties as Readonly<Record<string, JsonSchema>>) : {}
}

const typesOf = (schema: unknown): ReadonlyArray<string> => {
  if (!isObject(schema)) return []
  const own = typeof schema["type"] === "string" ? [schema["type"]] : []
  const parts = ["anyOf", "oneOf", "allOf"].flatMap((key) => (Array.isArray(schema[key]) ? schema[key] : []))
  return [...own, ...parts.flatMap(typesOf)]
}

/** The text of a parameter as its field wants it; what cannot be read stays text and fails in the schema. */
const coerce = (text: string | ReadonlyArray<string>, schema: unknown): unknown => {
  const types = typesOf(schema)
  if (types.includes("array")) return typeof text === "string" ? text.split(",").filter((each) => each !== "") : text
  if (typeof text !== "string") return text
  if ((types.includes("number") || types.includes("integer")) && /^-?\d+(\.\d+)?$/.test(text)) return Number(text)
  return types.includes("boolean") && /^(true|false)$/.test(text) ? text === "true" : text
}

const invalid = (message: string, cause?: unknown) =>
  new Terminal({ code: "input.invalid", message, ...(cause === undefined ? {} : { cause }) })

const tooLarge = (bytes: string) =>
  new Terminal({ code: "request.too_large", message: `The body has ${bytes} bytes; at most ${MAX_BODY_BYTES} are taken.` })

const bodyOf = Effect.fnUntraced(function* (request: HttpServerRequest.HttpServerRequest): Effect.fn.Return<Fields, Terminal> {
  const size = Number(request.headers["content-length"] ?? 0)
  if (size > MAX_BODY_BYTES) return yield* tooLarge(String(size))
  const parts: Array<Uint8Array> = []
  let taken = 0
  // The header may be absent or wrong: what counts is what comes.
  yield* request.stream.pipe(
    Stream.mapError((cause) => invalid(`The body cannot be read: ${describe(cause)}`, cause)),
    Stream.runForEach((part) => {
      taken += part.length
      if (taken > MAX_BODY_BYTES) return Effect.fail(tooLarge(`more than ${MAX_BODY_BYTES}`))
      return Effect.sync(() => void parts.push(part))
    })
  )
  const text = new TextDecoder().decode(Buffer.concat(parts))
  if (text.trim() === "") return {}
  const type = request.headers["content-type"] ?? ""
  if (!/^application\/(\S+\+)?json\b/i.test(type))
    return yield* invalid(`The body is "${type.slice(0, 60)}"; JSON is wanted (Content-Type: application/json).`)
  const value = yield* Effect.try({
    try: () => JSON.parse(text) as unknown,
    catch: (cause) => invalid(`The body is not JSON: ${describe(cause)}`, cause)
  })
  return isObject(value) ? value : yield* invalid("The body is not a JSON object.")
})

/** Answers a failure of any kind with the body that all of them have. */
export const answered = <R>(work: Effect.Effect<HttpServerResponse.HttpServerResponse, Failure, R>) =>
  Effect.flatMap(RequestId, (id) =>
    work.pipe(
      Effect.catch((failure) =>
        Effect.succeed(problemResponse(failure, id, failure instanceof Limited ? { "retry-after": String(failure.retryAfterSeconds) } : {}))
      ),
      Effect.catchDefect((defect) =>
        Effect.logError("a request could not be handled", defect).pipe(
          Effect.annotateLogs({ request: id }),
          Effect.as(problemResponse({ code: "internal", message: "The request could not be handled because of a fault in Voxbus." }, id))
        )
      )
    )
  )

/** Nothing is at the address. */
export const unknownRoute = ({ method, url }: Pick<HttpServerRequest.HttpServerRequest, "method" | "url">) =>
  new Terminal({ code: "route.unknown", message: `There is no ${method} ${url.split("?")[0] ?? ""}.` })

/** Counts a request against its client: the token, and where it comes from. */
export const counted = Effect.fnUntraced(function* (limit: RateLimit, request: HttpServerRequest.HttpServerRequest) {
  const { name } = yield* Caller
  yield* limit.count(`${name} ${Option.getOrElse(request.remoteAddress, () => "")}`)
})

/** The pattern of the router for a path of the contract: `/sessions/:session`. */
const handle = (spec: CommandSpec, limit: RateLimit) => {
  // Asked for with the first request: a start that reads the schemas of all commands takes 50 ms more.
  let known: { readonly properties: ReturnType<typeof propertiesOf>; readonly idempotency: string | undefined } | undefined
  const fieldsOf = () => {
    const properties = propertiesOf(spec)
    // The key of a provider is something else.
    return { properties, idempotency: spec.secret === true ? undefined : IDEMPOTENCY_FIELDS.find((field) => field in properties) }
  }
  const takesBody = routeOf(spec).method !== "GET"
  return Effect.fnUntraced(function* (request: HttpServerRequest.HttpServerRequest) {
    const caller = yield* demand(scopeOf(spec))
    if (spec.expensive === true) yield* counted(limit, request)
    const query = yield* HttpServerRequest.ParsedSearchParams
    const params = yield* HttpRouter.params
    const body = takesBody ? yield* bodyOf(request) : {}
    const { properties, idempotency } = (known ??= fieldsOf())
    const key = request.headers[IDEMPOTENCY_HEADER]
    const text = Object.entries({ ...query, ...params }).flatMap(([name, value]) =>
      value === undefined ? [] : [[name, coerce(value, properties[name])] as const]
    )
    const fields: Fields = {
      ...(key !== undefined && idempotency !== undefined ? { [idempotency]: key } : {}),
      ...body,
      ...Object.fromEntries(text)
    }
    return HttpServerResponse.jsonUnsafe(yield* callJson(spec, fields, { as: caller.name }), { headers: { "cache-control": "no-store" } })
  })
}

export const restRoutes = HttpRouter.use((router) =>
  Effect.gen(function* () {
    const bus = yield* Bus
    const limit = makeRateLimit((yield* Settings).gateway.limits.requestsPerMinute)
    yield* Effect.forEach(
      COMMANDS,
      (spec) => {
        const { method, path } = routeOf(spec)
        const run = handle(spec, limit)
        return router.add(method, `/api${path}`, (request) => answered(Effect.provideService(run(request), Bus, bus)))
      },
      { discard: true }
    )
    const unknown = (request: HttpServerRequest.HttpServerRequest) => answered(Effect.fail(unknownRoute(request)))
    yield* router.add("*", "/api/*", unknown)
    // A static address, such as the page, comes before a parameter.
    yield* router.add("*", "/:first/*", unknown)
  })
)
