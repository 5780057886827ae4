/**
 * The one HTTP client for providers: undici under the host's network policy, failures in words a person understands, a
 * time limit for every call, and a key that never travels unencrypted.
 *
 * A response belongs to a scope: closing it ends the request, whatever it waits for. Gotcha: undici is loaded with the
 * first request, because it costs a process 0.1 s that the local engines do without.
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import type { Bytes } from "./Bus.ts"
import { describe, type Failure, Retryable, systemCode, Terminal } from "./Failure.ts"
import { isLoopback, isOfflineRefusal } from "./Network.ts"

export interface Endpoint {
  /** For people: `OpenAI`, `The chat endpoint`. */
  readonly label: string
  /** What paths are appended to. */
  readonly url: string
  readonly key?: Redacted.Redacted<string> | undefined
  /** Name for `voxbus keys set`. */
  readonly keyName: string
  /** Header that carries the key; `authorization` as a bearer by default. */
  readonly keyHeader?: string
}

export interface Request {
  readonly method: "GET" | "POST"
  /** Appended to the endpoint's address. */
  readonly path: string
  readonly json?: unknown
  /** Parts of a `multipart/form-data` body; bytes are a file. */
  readonly form?: ReadonlyArray<
    readonly [name: string, value: string | { readonly name: string; readonly type: string; readonly bytes: Bytes }]
  >
  readonly accept?: string
  /** Milliseconds until the answer must begin, and for all of it. */
  readonly firstByteMs: number
  readonly totalMs: number
  /** Model that is asked for, for the message of a 404. */
  readonly model?: string
}

export interface Answer {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: AsyncIterable<Uint8Array>
  readonly text: Effect.Effect<string, Failure>
}

const host = ({ url }: Endpoint): string => (URL.canParse(url) ? new URL(url).host : url)
const named = (endpoint: Endpoint) => `${endpoint.label} (${host(endpoint)})`

const ErrorBody = Schema.fromJsonString(
  Schema.Struct({
    error: Schema.optionalKey(
      Schema.Union([Schema.String, Schema.Struct({ message: Schema.String, code: Schema.optionalKey(Schema.NullOr(Schema.String)) })])
    ),
    detail: Schema.optionalKey(
      Schema.Union([Schema.String, Schema.Struct({ message: Schema.String, status: Schema.optionalKey(Schema.String) })])
    )
  })
)

/** What the server says is wrong: a sentence, shortened, and its code. Never more than the error of the body. */
export const complaint = (body: string): { readonly says: string; readonly code: string } => {
  const { error, detail } = Option.getOrElse(Schema.decodeUnknownOption(ErrorBody)(body), (): typeof ErrorBody.Type => ({}))
  const text = (typeof error === "string" ? error : error?.message) ?? (typeof detail === "string" ? detail : detail?.message) ?? ""
  const code = (typeof error === "object" ? error.code : undefined) ?? (typeof detail === "object" ? detail.status : undefined) ?? ""
  return { says: text === "" ? "" : ` It says: ${text.slice(0, 200)}`, code }
}

/** A provider echoes parts of a bad key in its complaint: whatever looks like a piece of ours goes. */
const withoutKey = (endpoint: Endpoint, text: string): string => {
  const key = endpoint.key === undefined ? "" : Redacted.value(endpoint.key)
  const bare = key === "" ? text : text.replaceAll(key, "<key>")
  return bare.replaceAll(/\b[\w-]{2,}\*{3,}[\w-]*|\bsk-[\w*-]+/g, "<key>")
}

/** `Retry-After` in milliseconds: seconds or a date. */
const retryAfter = (value: string | undefined, now: number): { readonly delayMs?: number } => {
  if (value === undefined) return {}
  if (/^\d+(\.\d+)?$/.test(value)) return { delayMs: Number(value) * 1000 }
  const date = Date.parse(value)
  return Number.isNaN(date) ? {} : { delayMs: Math.max(0, date - now) }
}

/** What went wrong before or while an answer came. */
export const lost =
  (endpoint: Endpoint) =>
  (cause: unknown): Failure => {
    if (isOfflineRefusal(cause))
      return new Terminal({
        code: "network.offline",
        message: `Offline mode refused a connection to ${named(endpoint)}.`
      })
    const code = systemCode(cause) ?? (cause instanceof Error ? systemCode(cause.cause) : undefined) ?? ""
    if (/TIMEOUT|ETIMEDOUT/.test(code))
      return new Retryable({ code: "provider.timeout", message: `${named(endpoint)} did not answer in time.` })
    if (["ECONNREFUSED", "ENOTFOUND", "EAI_AGAIN", "ENETUNREACH", "EHOSTUNREACH"].includes(code))
      return new Retryable({
        code: "provider.unreachable",
        message: `${named(endpoint)} cannot be reached (${code}). ${isLoopback(new URL(endpoint.url).hostname) ? "It does not run." : "Check the internet connection."}`
      })
    return new Retryable({
      code: "provider.unavailable",
      message: `The connection to ${named(endpoint)} broke off (${withoutKey(endpoint, describe(cause))}).`
    })
  }

/** What an answer with an error status means. */
export const refusal = (
  endpoint: Endpoint,
  request: Pick<Request, "model">,
  answer: Pick<Answer, "status" | "headers">,
  body: string,
  now: number
): Failure => {
  const { status, headers } = answer
  const { says: said, code } = complaint(body)
  const says = withoutKey(endpoint, said)
  const about = named(endpoint)
  if (status === 402 || /quota|insufficient_funds/.test(code))
    return new Terminal({ code: "provider.quota", message: `The quota at ${about} is used up (${status}).${says}` })
  if (status === 401 || status === 403)
    return new Terminal({
      code: "provider.auth",
      message: `${about} refused the key (${status}).${says} Run: npx voxbus keys set ${endpoint.keyName}`
    })
  if (status === 404)
    return new Terminal({
      code: "provider.model",
      message: `${about} does not know ${request.model === undefined ? "this address" : `the model "${request.model}", or the address is wrong`} (404).${says}`
    })
  if (status === 429)
    return new Retryable({
      code: "provider.rate_limited",
      message: `Too many requests to ${about} (429).${says}`,
      ...retryAfter(headers["retry-after"], now)
    })
  if (status === 408 || status === 504)
    return new Retryable({
      code: "provider.timeout",
      message: `${about} took too long (${status}).${says}`,
      ...retryAfter(headers["retry-after"], now)
    })
  if (status >= 500)
    return new Retryable({
      code: "provider.unavailable",
      message: `${about} answered ${status}.${says}`,
      ...retryAfter(headers["retry-after"], now)
    })
  return new Terminal({ code: "provider.rejected", message: `${about} refused the request (${status}).${says}` })
}

const checkAddress = Effect.fnUntraced(function* (endpoint: Endpoint) {
  if (!URL.canParse(endpoint.url))
    return yield* new Terminal({ code: "config.invalid", message: `${endpoint.label} has no valid address ("${endpoint.url}").` })
  const { protocol, hostname } = new URL(endpoint.url)
  if (endpoint.key !== undefined && protocol !== "https:" && !isLoopback(hostname))
    return yield* new Terminal({
      code: "key.insecure",
      message: `${named(endpoint)} has an http address: the key would travel unencrypted. Use https.`
    })
})

/** The body and its type. Node's own `Response` writes the form: undici's `request` never sends one (8.12.4). */
const bodyOf = async (request: Request): Promise<{ readonly type: string; readonly bytes: Buffer | string } | undefined> => {
  if (request.json !== undefined) return { type: "application/json", bytes: JSON.stringify(request.json) }
  if (request.form === undefined) return undefined
  const form = new FormData()
  for (const [name, value] of request.form)
    if (typeof value === "string") form.append(name, value)
    else form.append(name, new Blob([new Uint8Array(value.bytes)], { type: value.type }), value.name)
  const written = new Response(form)
  return { type: written.headers.get("content-type") ?? "multipart/form-data", bytes: Buffer.from(await written.arrayBuffer()) }
}

const headersOf = (endpoint: Endpoint, request: Request): Record<string, string> => ({
  "user-agent": "voxbus",
  accept: request.accept ?? "application/json",
  ...(endpoint.key === undefined
    ? {}
    : endpoint.keyHeader === undefined
      ? { authorization: `Bearer ${Redacted.value(endpoint.key)}` }
      : { [endpoint.keyHeader]: Redacted.value(endpoint.key) })
})

/** One try; any status is an answer. The answer lives as long as the scope. */
export const send = Effect.fnUntraced(function* (endpoint: Endpoint, request: Request) {
  yield* checkAddress(endpoint)
  const controller = yield* Effect.acquireRelease(
    Effect.sync(() => new AbortController()),
    (controller) => Effect.sync(() => controller.abort())
  )
  const response = yield* Effect.tryPromise({
    try: async () => {
      const [undici, body] = await Promise.all([import("undici"), bodyOf(request)])
      return undici.request(`${endpoint.url.replace(/\/+$/, "")}${request.path}`, {
        method: request.method,
        headers: { ...headersOf(endpoint, request), ...(body === undefined ? {} : { "content-type": body.type }) },
        body: body?.bytes ?? null,
        signal: controller.signal,
        headersTimeout: request.firstByteMs,
        bodyTimeout: request.totalMs
      })
    },
    catch: lost(endpoint)
  }).pipe(Effect.timeoutOrElse({ duration: request.totalMs, orElse: () => Effect.fail(late(endpoint, request.totalMs)) }))
  const answer: Answer = {
    status: response.statusCode,
    headers: Object.fromEntries(Object.entries(response.headers).map(([name, value]) => [name, String(value)])),
    body: response.body,
    text: Effect.tryPromise({ try: () => response.body.text(), catch: lost(endpoint) })
  }
  return answer
})

export const late = (endpoint: Endpoint, totalMs: number): Failure =>
  new Retryable({ code: "provider.timeout", message: `${named(endpoint)} did not finish within ${totalMs / 1000} s.` })

/** One try; an answer with an error status is a failure. */
export const exchange = Effect.fnUntraced(function* (endpoint: Endpoint, request: Request) {
  const answer = yield* send(endpoint, request)
  if (answer.status < 300) return answer
  return yield* refusal(endpoint, request, answer, yield* answer.text, yield* Clock.currentTimeMillis)
})

/** One try, the whole answer decoded. */
export const json = <S extends Schema.Top & { readonly DecodingServices: never }>(
  endpoint: Endpoint,
  request: Request,
  schema: S
): Effect.Effect<S["Type"], Failure> =>
  exchange(endpoint, request).pipe(
    Effect.flatMap((answer) => answer.text),
    Effect.flatMap((text) =>
      Schema.decodeUnknownEffect(Schema.fromJsonString(schema))(text).pipe(
        Effect.mapError(
          () =>
            new Retryable({
              code: "provider.unavailable",
              message: `${named(endpoint)} answered with something else than its protocol says.`
            })
        )
      )
    ),
    Effect.timeoutOrElse({ duration: request.totalMs, orElse: () => Effect.fail(late(endpoint, request.totalMs)) }),
    Effect.scoped
  )
