/**
 * The network policy: `--offline` refuses every HTTP connection to another machine inside the process, and says which
 * call it was. All HTTP of ours goes through undici's global dispatcher, and so does Node's `fetch`.
 */
import * as Effect from "effect/Effect"
import { isIP } from "node:net"
import { Terminal } from "./Failure.ts"

/** What a refused call fails with; `isOfflineRefusal` finds it below the error of a client library. */
export class OfflineRefusal extends Error {
  readonly code = "network.offline"
  constructor(host: string) {
    super(`Offline mode refused a connection to ${host}.`)
  }
}

/** `localhost`, `127.0.0.0/8` and `::1`. */
export const isLoopback = (host: string): boolean => {
  const name = host.replace(/^\[|\]$/g, "").toLowerCase()
  return name === "localhost" || name === "::1" || (isIP(name) === 4 && name.startsWith("127."))
}

export const isOfflineRefusal = (cause: unknown): cause is OfflineRefusal =>
  cause instanceof OfflineRefusal || (cause instanceof Error && cause.cause !== undefined && isOfflineRefusal(cause.cause))

/** For connections that are not HTTP, in offline mode: fails unless the address is on this machine. */
export const refuseFar = Effect.fnUntraced(function* (address: string) {
  const host = URL.canParse(address) ? new URL(address).hostname : address
  if (!isLoopback(host)) return yield* new Terminal({ code: "network.offline", message: new OfflineRefusal(host).message })
})

/** `HTTP_PROXY`, `HTTPS_PROXY`, in either case. */
const hasProxy = (): boolean => Object.keys(process.env).some((name) => /^https?_proxy$/i.test(name))

/**
 * Sets the policy for as long as the scope is open. Without `offline`, `HTTP_PROXY` and its kin are honoured. undici is
 * loaded only when there is something to set: it costs every process 0.1 s.
 */
export const networkPolicy = Effect.fnUntraced(function* (offline: boolean) {
  if (!offline && !hasProxy()) return
  const { Agent, EnvHttpProxyAgent, getGlobalDispatcher, setGlobalDispatcher } = yield* Effect.promise(() => import("undici"))
  const offlineAgent = () =>
    new Agent().compose((dispatch) => (options, handler) => {
      const host = new URL(String(options.origin)).hostname
      if (!isLoopback(host)) throw new OfflineRefusal(host)
      return dispatch(options, handler)
    })
  yield* Effect.acquireRelease(
    Effect.sync(() => {
      const before = getGlobalDispatcher()
      setGlobalDispatcher(offline ? offlineAgent() : new EnvHttpProxyAgent())
      return before
    }),
    (before) => Effect.sync(() => setGlobalDispatcher(before))
  )
})
