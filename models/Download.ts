/**
 * One file by HTTPS: proxies of the environment, redirects, a short connect time-out so that an unreachable host costs
 * little, and a `.part` file that is continued (HTTP Range) after a lost connection, a kill or a restart.
 *
 * What arrives is compared with the expected SHA-256 before it gets its name. A continued file with the wrong sum is
 * fetched once more from the start: the server may have changed it in between.
 */
import * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"
import { createWriteStream } from "node:fs"
import { rename, rm } from "node:fs/promises"
import { Transform } from "node:stream"
import { pipeline } from "node:stream/promises"
import { type Dispatcher, EnvHttpProxyAgent, interceptors, request } from "undici"
import { systemCode } from "../kernel/Failure.ts"
import { bytesOf, sha256 } from "./Hash.ts"
import { fromCause, SourceFailure, unreachable, wrongSum } from "./SourceFailure.ts"

export interface DownloadOptions {
  readonly sha256: string
  /** Called with the bytes on the disk so far and the total, 0 when the server does not say. */
  readonly onBytes: (received: number, total: number) => void
}

const CONNECT_MS = 5_000
const SILENCE_MS = 20_000

let shared: Dispatcher | undefined
const dispatcher = (): Dispatcher =>
  (shared ??= new EnvHttpProxyAgent({ connect: { timeout: CONNECT_MS }, headersTimeout: SILENCE_MS, bodyTimeout: SILENCE_MS }).compose(
    interceptors.redirect({ maxRedirections: 5 })
  ))

/** Hosts that could not be connected to, and why; not asked again by this process for a minute. */
const dead = new Map<string, { readonly reason: string; readonly at: number }>()
const DEAD_MS = 60_000

const CONNECTING = new Set([
  "ENOTFOUND",
  "EAI_AGAIN",
  "ECONNREFUSED",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "UND_ERR_CONNECT_TIMEOUT",
  "ETIMEDOUT"
])

/** The connection broke in the middle: worth another try from where it stopped. */
class Interrupted {
  readonly cause: unknown
  constructor(cause: unknown) {
    this.cause = cause
  }
}

const receive = async (url: string, part: string, options: DownloadOptions, signal: AbortSignal): Promise<void> => {
  const { host } = new URL(url)
  const have = await bytesOf(part)
  const headers = { "user-agent": "voxbus", "accept-encoding": "identity", ...(have > 0 && { range: `bytes=${have}-` }) }
  const response = await request(url, { dispatcher: dispatcher(), headers, signal }).catch((cause: unknown) => {
    if (!CONNECTING.has(systemCode(cause) ?? "")) throw new Interrupted(cause)
    const failure = fromCause(cause)
    dead.set(host, { reason: failure.reason, at: performance.now() })
    throw failure
  })
  const { statusCode, body } = response
  if (statusCode === 416) {
    // Nothing is left to send (or the part is longer than the file): the checksum decides.
    await body.dump()
    return
  }
  if (statusCode !== 200 && statusCode !== 206) {
    await body.dump()
    if (statusCode >= 500 || statusCode === 429) throw new Interrupted(`HTTP ${statusCode}`)
    throw unreachable(`HTTP ${statusCode}`)
  }
  const start = statusCode === 206 ? have : 0
  const length = Number(response.headers["content-length"] ?? 0)
  let received = start
  const meter = new Transform({
    transform(chunk: Uint8Array, _encoding, done) {
      received += chunk.length
      options.onBytes(received, length === 0 ? 0 : start + length)
      done(null, chunk)
    }
  })
  await pipeline(body, meter, createWriteStream(part, { flags: start === 0 ? "w" : "a" }), { signal }).catch((cause: unknown) => {
    if (systemCode(cause) === "ENOSPC") throw cause
    throw new Interrupted(cause)
  })
}

const toFailure = (cause: SourceFailure | Interrupted): SourceFailure => (cause instanceof Interrupted ? fromCause(cause.cause) : cause)

/** Fetches `url` to `target`. */
export const download = Effect.fnUntraced(function* (url: string, target: string, options: DownloadOptions) {
  const known = dead.get(new URL(url).host)
  if (known !== undefined && performance.now() - known.at < DEAD_MS) return yield* unreachable(known.reason)
  const part = `${target}.part`
  const attempt = Effect.tryPromise({
    try: (signal) => receive(url, part, options, signal),
    catch: (cause) => (cause instanceof Interrupted ? cause : fromCause(cause))
  }).pipe(
    Effect.retry({
      schedule: Schedule.exponential("500 millis").pipe(Schedule.upTo({ times: 4 })),
      while: (cause) => cause instanceof Interrupted
    }),
    Effect.mapError(toFailure)
  )
  const check = Effect.tryPromise({ try: (signal) => sha256(part, signal), catch: fromCause })
  const discard = Effect.promise(() => rm(part, { force: true }))
  const continued = (yield* Effect.promise(() => bytesOf(part))) > 0
  yield* attempt
  let found = yield* check
  if (found !== options.sha256 && continued) {
    yield* discard
    yield* attempt
    found = yield* check
  }
  if (found !== options.sha256) {
    yield* discard
    return yield* wrongSum(options.sha256, found)
  }
  yield* Effect.tryPromise({ try: () => rename(part, target), catch: fromCause })
})
