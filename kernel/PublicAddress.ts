/**
 * Requests to addresses that somebody else named must not reach into this machine or its network (SSRF). A name is resolved
 * once, all its addresses are checked, and the connection goes to the one that was checked: a name that resolves to
 * something else a moment later changes nothing. Redirects are not followed, proxies not used.
 */
import * as Effect from "effect/Effect"
import ipaddr from "ipaddr.js"
import { lookup as resolve } from "node:dns/promises"
import type { LookupFunction } from "node:net"
import { describe, type Failure, Retryable, Terminal } from "./Failure.ts"
import { isLoopback, OfflineRefusal } from "./Network.ts"

export interface Resolved {
  readonly address: string
  readonly family: number
}

/** Whether it is an address of the public internet: not of this machine, a private, link-local, shared or reserved network. */
export const isPublic = (address: string): boolean => {
  try {
    return ipaddr.process(address).range() === "unicast"
  } catch {
    return false
  }
}

export interface Policy {
  readonly allowPrivate: boolean
  readonly offline: boolean
  /** For tests. */
  readonly lookup?: (host: string) => Promise<ReadonlyArray<Resolved>>
}

const lookupAll = (host: string): Promise<ReadonlyArray<Resolved>> => resolve(host, { all: true })

/** The host of an address that may be asked, or why not: no name is looked up. */
export const parseAddress = Effect.fnUntraced(function* (text: string): Effect.fn.Return<URL, Terminal> {
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (url === undefined || (url.protocol !== "https:" && url.protocol !== "http:"))
    return yield* new Terminal({ code: "input.invalid", message: "The address is not one that begins with https://." })
  if (url.username !== "" || url.password !== "")
    return yield* new Terminal({ code: "input.invalid", message: "The address must not hold a user or a password." })
  return url
})

const hostOf = (url: URL) => url.hostname.replaceAll(/^\[|\]$/g, "")

/** Resolves the address and checks where it leads. */
export const resolveChecked = Effect.fnUntraced(function* (text: string, policy: Policy): Effect.fn.Return<Resolved, Failure> {
  const url = yield* parseAddress(text)
  const host = hostOf(url)
  const found = yield* Effect.tryPromise({
    try: () => (policy.lookup ?? lookupAll)(host),
    catch: (cause) => new Retryable({ code: "webhook.failed", message: `${host} cannot be found: ${describe(cause)}` })
  })
  const [first] = found
  if (first === undefined) return yield* new Retryable({ code: "webhook.failed", message: `${host} has no address.` })
  const privates = found.filter(({ address }) => !isPublic(address))
  if (privates.length > 0 && !policy.allowPrivate)
    return yield* new Terminal({ code: "address.private", message: `${host} is an address of this machine or of a private network.` })
  if (url.protocol === "http:" && privates.length < found.length)
    return yield* new Terminal({
      code: "input.invalid",
      message: `${host} is reached over the internet: its address must begin with https://.`
    })
  if (policy.offline && found.some(({ address }) => !isLoopback(address)))
    return yield* new Terminal({ code: "network.offline", message: new OfflineRefusal(host).message })
  return first
})

/** One POST to the address that was checked; returns the status. The answer's body is not looked at. */
export const postChecked = (
  text: string,
  request: {
    readonly headers: Readonly<Record<string, string>>
    readonly body: string
    readonly timeoutMs: number
    readonly policy: Policy
  }
): Effect.Effect<number, Failure> =>
  Effect.gen(function* () {
    const { address, family } = yield* resolveChecked(text, request.policy)
    const pinned: LookupFunction = (_host, options, done) =>
      options.all === true ? done(null, [{ address, family }]) : done(null, address, family)
    const { Agent, request: send } = yield* Effect.promise(() => import("undici"))
    const agent = yield* Effect.acquireRelease(
      Effect.sync(() => new Agent({ connect: { lookup: pinned }, pipelining: 0 })),
      (each) => Effect.promise(() => each.destroy())
    )
    return yield* Effect.tryPromise({
      try: async (signal) => {
        const answer = await send(text, { method: "POST", dispatcher: agent, headers: request.headers, body: request.body, signal })
        await answer.body.dump({ limit: 65_536, signal }).catch(() => undefined)
        return answer.statusCode
      },
      catch: (cause) => new Retryable({ code: "webhook.failed", message: `The receiver cannot be reached: ${describe(cause)}` })
    })
  }).pipe(
    Effect.timeoutOrElse({
      duration: request.timeoutMs,
      orElse: () =>
        Effect.fail(new Retryable({ code: "webhook.failed", message: `The receiver did not answer within ${request.timeoutMs / 1000} s.` }))
    }),
    Effect.scoped
  )
