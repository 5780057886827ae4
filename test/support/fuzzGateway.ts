/**
 * Nonsense for the gateway: mangled HTTP, requests of every address with odd parameters, headers and bodies, forms that
 * are cut or lie, WebSocket frames. Every answer must be a documented one; nobody may hang; the gateway must be well
 * afterwards. The commands behind are stand-ins that read their request by its schema, as the real ones do.
 */
import * as Effect from "effect/Effect"
import * as fc from "fast-check"
import { request } from "node:http"
import { connect as connectTcp } from "node:net"
import { WebSocket } from "undici"
import { COMMANDS } from "../../contract/Commands.ts"
import { ERRORS } from "../../contract/Errors.ts"
import { openApi } from "../../contract/OpenApi.ts"
import { ClientMessage } from "../../gateway/index.ts"
import { handler } from "../../kernel/Commands.ts"
import { Terminal } from "../../kernel/Failure.ts"

/** Milliseconds after which no answer is a hang. */
const PATIENCE = 15_000

export interface FuzzResult {
  readonly runs: number
  readonly byKind: Readonly<Record<string, number>>
  readonly crashes: number
  readonly hangs: number
  readonly undocumented: number
  /** The first few, to look at. */
  readonly faults: ReadonlyArray<string>
}

type Verdict = "documented" | "hang" | "crash" | "undocumented"
interface Outcome {
  readonly verdict: Verdict
  readonly note?: string
}

/** Reads each request by its schema and then says that there is nothing. */
export const standIns = COMMANDS.map((spec) =>
  handler(spec, () => Effect.fail(new Terminal({ code: "session.unknown", message: "A stand-in knows no session." })))
)

const fine: Outcome = { verdict: "documented" }

/** What a client may be told: an answer that is no failure, our problem body, or what the layers before it say. */
const judged = (status: number, type: string, body: string): Outcome => {
  if (status < 400) return fine
  if (type.startsWith("text/plain") && [400, 403, 404, 426, 401].includes(status)) return fine
  try {
    const { error, message, recoverable, request_id: id } = JSON.parse(body)
    const known = (code: unknown, text: unknown) =>
      typeof code === "string" && code in ERRORS && code !== "internal" && typeof text === "string"
    if (known(error, message) && typeof recoverable === "boolean" && typeof id === "string") return fine
    // The form of `/v1`.
    if (known(error?.code, error?.message) && typeof error.type === "string" && "param" in error) return fine
  } catch {
    // Told below.
  }
  return { verdict: status >= 500 ? "crash" : "undocumented", note: `${status} ${type} ${body.slice(0, 200)}` }
}

interface HttpCase {
  readonly method: string
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: Uint8Array | undefined
}

const sendHttp = (url: string, { method, path, headers, body }: HttpCase) =>
  new Promise<Outcome>((resolve) => {
    const { hostname, port } = new URL(url)
    const done = (outcome: Outcome) => {
      clearTimeout(timer)
      sent.destroy()
      resolve(outcome)
    }
    const timer = setTimeout(() => done({ verdict: "hang", note: `${method} ${path}` }), PATIENCE)
    // Streams of events do not end: their head is the answer.
    const sent = request({ hostname, port, method, path, headers, setHost: true }, (answer) => {
      const type = String(answer.headers["content-type"] ?? "")
      let text = ""
      answer.setEncoding("utf8").on("data", (part: string) => (text += part))
      // An answer to HEAD has no body.
      const end = () => done(method === "HEAD" ? fine : judged(answer.statusCode ?? 0, type, text))
      if (type.startsWith("text/event-stream")) return end()
      answer.on("end", end).on("error", end)
    })
    // The connection may be closed on us; whether the gateway lives is asked separately.
    sent.on("error", () => done(fine))
    sent.on("upgrade", () => done(fine))
    sent.end(body)
  })

/** Bytes on a bare socket: an HTTP answer or a closed connection. A request that is not complete is given up by us. */
const sendRaw = (url: string, bytes: Uint8Array) =>
  new Promise<Outcome>((resolve) => {
    const { hostname, port } = new URL(url)
    const socket = connectTcp(Number(port), hostname)
    let text = ""
    const done = () => {
      clearTimeout(timer)
      socket.destroy()
      resolve(text === "" || /^HTTP\/1\.[01] [1-5]\d\d /.test(text) ? fine : { verdict: "undocumented", note: text.slice(0, 100) })
    }
    const timer = setTimeout(done, 300)
    socket.setEncoding("latin1").on("data", (part: string) => (text += part))
    socket.on("close", done).on("error", done)
    socket.end(bytes)
  })

const paths = Object.entries(openApi("0", "/")["paths"] as Record<string, Record<string, any>>).flatMap(([path, methods]) =>
  Object.entries(methods).map(([method, spec]) => ({ path, method: method.toUpperCase(), spec }))
)

const value = fc.oneof(
  fc.string({ unit: "binary", maxLength: 60 }),
  fc.constantFrom(
    "",
    "0",
    "-1",
    "1e309",
    "NaN",
    "true",
    "null",
    "../../etc/passwd",
    "%00",
    "01JDABCDEFGHJKMNPQRSTVWXYZ",
    "CALLS:1",
    ">",
    "a.*.>"
  ),
  fc.integer().map(String)
)
const json = fc.oneof(fc.jsonValue({ maxDepth: 3 }), fc.constantFrom<unknown>({}, [], null, 0, "", { __proto__: null }))
const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text)

/** The fields a command has, with anything in them. */
const nearBody = (spec: any) => {
  const properties = spec.requestBody?.content?.["application/json"]?.schema?.properties ?? {}
  return fc.record(Object.fromEntries(Object.keys(properties).map((name) => [name, fc.oneof(json, value)])), { requiredKeys: [] })
}

const headerValue = fc.oneof(value, fc.string({ maxLength: 300 })).map((text) => text.replaceAll(/[^\x20-\x7e]/g, "?"))

const httpCase = fc.constantFrom(...paths).chain(({ path, method, spec }) =>
  fc
    .record({
      method: fc.oneof(
        { weight: 8, arbitrary: fc.constant(method) },
        fc.constantFrom("GET", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "HEAD")
      ),
      parameters: fc.array(value, { minLength: 4, maxLength: 4 }),
      query: fc.dictionary(
        fc.oneof(
          fc.constantFrom(...["session", "limit", ...(spec.parameters ?? []).map(({ name }: any) => String(name))]),
          fc.string({ maxLength: 10 })
        ),
        value,
        { maxKeys: 4 }
      ),
      headers: fc.dictionary(
        fc.constantFrom(
          "range",
          "if-none-match",
          "idempotency-key",
          "x-request-id",
          "last-event-id",
          "accept",
          "origin",
          "sec-fetch-site",
          "cookie"
        ),
        headerValue,
        { maxKeys: 2 }
      ),
      type: fc.constantFrom(
        "application/json",
        "application/json; charset=utf-8",
        "text/plain",
        "multipart/form-data",
        "application/octet-stream",
        ""
      ),
      body: fc.oneof(
        nearBody(spec).map((fields) => bytesOf(JSON.stringify(fields))),
        json.map((any) => bytesOf(JSON.stringify(any) ?? "")),
        fc.uint8Array({ maxLength: 200 }),
        fc.constant(bytesOf(`${"[".repeat(5_000)}`))
      )
    })
    .map(({ method, parameters, query, headers, type, body }): HttpCase => {
      const filled = path.replaceAll(/\{\w+\}/g, () => encodeURIComponent((parameters.pop() ?? "").toWellFormed()))
      const search = new URLSearchParams(Object.entries(query).map(([name, text]) => [name.toWellFormed(), text.toWellFormed()]))
      const has = !["GET", "HEAD"].includes(method)
      return {
        method,
        path: `${filled}?${search}`,
        headers: {
          ...headers,
          ...(type === "" ? {} : { "content-type": type }),
          ...(has ? { "content-length": String(body.length) } : {})
        },
        body: has ? body : undefined
      }
    })
)

const partHead = fc.oneof(
  fc.constantFrom(
    'Content-Disposition: form-data; name="file"; filename="a.wav"',
    'Content-Disposition: form-data; name="title"',
    "Content-Disposition: form-data; name=title; filename*=UTF-8''%FF",
    'Content-Disposition: form-data; name="ticket"',
    "Content-Type: audio/wav"
  ),
  headerValue
)
const formCase = fc
  .record({
    boundary: fc.constantFrom("x", "----formdata", "a b", "é"),
    said: fc.constantFrom("x", "----formdata", "", "x".repeat(200)),
    parts: fc.array(fc.record({ heads: fc.array(partHead, { maxLength: 3 }), content: fc.uint8Array({ maxLength: 100 }) }), {
      maxLength: 25
    }),
    closed: fc.boolean(),
    wav: fc.boolean()
  })
  .map(({ boundary, said, parts, closed, wav }): HttpCase => {
    const pieces = parts.flatMap(({ heads, content }) => [
      Buffer.from(`--${boundary}\r\n${heads.join("\r\n")}\r\n\r\n`),
      Buffer.concat([Buffer.from(wav ? "RIFF\u0010\u0000\u0000\u0000WAVEfmt " : ""), content]),
      Buffer.from("\r\n")
    ])
    const body = Buffer.concat([...pieces, Buffer.from(closed ? `--${boundary}--\r\n` : "")])
    return {
      method: "POST",
      path: "/api/calls",
      headers: { "content-type": `multipart/form-data; boundary=${said}`, "content-length": String(body.length) },
      body
    }
  })

const types = ClientMessage.members.map((member) => member.fields.type.literal)
const FIELDS = [
  "subjects",
  "topics",
  "session",
  "from",
  "sampleRate",
  "channels",
  "text",
  "turn",
  "generation",
  "samples",
  "sentences",
  "interrupted"
]
const frame = fc.oneof(
  fc.string({ unit: "binary", maxLength: 100 }),
  json.map((any) => JSON.stringify(any) ?? ""),
  fc.uint8Array({ maxLength: 2_000 }),
  fc
    .record({
      type: fc.constantFrom(...types),
      rest: fc.dictionary(fc.constantFrom(...FIELDS), fc.oneof(json, value, fc.nat(100_000)), { maxKeys: 4 })
    })
    .map(({ type, rest }) => JSON.stringify({ ...rest, type })),
  fc.constantFrom(
    '{"type":"subscribe","subjects":[">"],"from":{"stream":"CALLS","sequence":1}}',
    '{"type":"subscribe","topics":["state","progress"],"from":{"stream":"CALLS","sequence":1}}',
    '{"type":"utterance.start","sampleRate":16000}',
    '{"type":"utterance.end"}',
    '{"type":"cancel","turn":1}'
  )
)

/** Frames on one socket, then a ping: it must be answered, and nothing may have been a fault of ours. */
const sendFrames = (url: string, token: string, frames: ReadonlyArray<string | Uint8Array>) =>
  new Promise<Outcome>((resolve) => {
    const socket = new WebSocket(`${url.replace(/^http/, "ws")}/ws`, { headers: { authorization: `Bearer ${token}` } })
    let bad: Outcome | undefined
    const shown = () => JSON.stringify(frames.map((each) => (typeof each === "string" ? each.slice(0, 200) : `${each.length} bytes`)))
    const done = (outcome: Outcome) => {
      clearTimeout(timer)
      resolve(outcome)
      socket.close()
    }
    const timer = setTimeout(() => done({ verdict: "hang", note: `no pong after ${shown()}` }), PATIENCE)
    socket.addEventListener("message", ({ data }) => {
      if (typeof data !== "string") return
      const message = JSON.parse(data)
      if (message.type === "error" && (!(message.code in ERRORS) || message.code === "internal"))
        bad = { verdict: "crash", note: `${message.code}: ${message.message} after ${shown()}` }
      if (message.type === "pong") done(bad ?? fine)
    })
    socket.addEventListener("close", ({ code }) =>
      done(code === 1009 ? fine : { verdict: "crash", note: `closed with ${code} after ${shown()}` })
    )
    socket.addEventListener("error", () => done({ verdict: "crash", note: `socket failed after ${shown()}` }))
    socket.addEventListener("open", () => {
      for (const each of frames) socket.send(typeof each === "string" ? each.toWellFormed() : new Uint8Array(each))
      socket.send('{"type":"ping"}')
    })
  })

const rawCase = fc.oneof(
  fc.uint8Array({ maxLength: 300 }),
  fc
    .record({
      line: fc.constantFrom(
        "GET /api/sessions/list HTTP/1.1",
        "POST /api/calls HTTP/1.1",
        "GET /ws HTTP/1.1",
        "GET http://[ HTTP/1.1",
        "GET //%ff HTTP/1.1"
      ),
      heads: fc.array(headerValue, { maxLength: 5 }),
      host: fc.boolean()
    })
    .map(({ line, heads, host }) => bytesOf(`${line}\r\n${host ? "Host: 127.0.0.1\r\n" : ""}${heads.join("\r\n")}\r\n\r\n`))
)

/**
 * @param target.url of a gateway whose limits are out of the way
 * @returns how it went; the same seed gives the same cases
 */
export const fuzzGateway = async (
  target: { readonly url: string; readonly token: string },
  options: { readonly runs: number; readonly seed: number }
) => {
  const { url, token } = target
  const { runs, seed } = options
  const share = (part: number) => ({ numRuns: Math.max(1, Math.round(runs * part)), seed })
  const authorized = (each: HttpCase): HttpCase => ({ ...each, headers: { authorization: `Bearer ${token}`, ...each.headers } })
  const cases: ReadonlyArray<readonly [kind: string, send: () => Promise<Outcome>]> = [
    ...fc.sample(httpCase, share(0.5)).map((each) => ["http", () => sendHttp(url, authorized(each))] as const),
    ...fc.sample(formCase, share(0.2)).map((each) => ["multipart", () => sendHttp(url, authorized(each))] as const),
    ...fc
      .sample(fc.array(frame, { minLength: 1, maxLength: 8 }), share(0.2))
      .map((each) => ["websocket", () => sendFrames(url, token, each)] as const),
    ...fc.sample(rawCase, share(0.1)).map((each) => ["raw", () => sendRaw(url, each)] as const)
  ]
  const byKind: Record<string, number> = {}
  const counts = { documented: 0, hang: 0, crash: 0, undocumented: 0 }
  const faults: Array<string> = []
  const take = async (index: number): Promise<void> => {
    for (let at = index; at < cases.length; at += 4) {
      const [kind, send] = cases[at] ?? ["none", async () => fine]
      const { verdict, note } = await send()
      byKind[kind] = (byKind[kind] ?? 0) + 1
      counts[verdict] += 1
      if (note !== undefined && faults.length < 10) faults.push(`${kind}: ${note}`)
    }
  }
  await Promise.all([0, 1, 2, 3].map(take))
  const well = await sendHttp(url, { method: "GET", path: "/health", headers: {}, body: undefined })
  if (well.verdict !== "documented") counts.crash += 1
  const result: FuzzResult = {
    runs: cases.length,
    byKind,
    crashes: counts.crash,
    hangs: counts.hang,
    undocumented: counts.undocumented,
    faults
  }
  return result
}
