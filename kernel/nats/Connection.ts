/**
 * One connection to NATS for a process. Reconnects for ever, ten times a second, so a restarted server is found at once.
 */
import { connect, type NatsConnection } from "@nats-io/transport-node"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { describe, Retryable } from "../Failure.ts"

export interface Address {
  /** `nats://host:port`. */
  readonly url: string
  readonly user?: string
  readonly password?: string
  /** Shown by the server's monitoring; also the private prefix of this connection's replies. */
  readonly name: string
}

/** Replies arrive below this prefix; the permissions of a user allow only its own. */
export const inboxPrefix = (name: string): string => `_INBOX_${name.replace(/[^A-Za-z0-9_]/g, "_")}`

export class Connection extends Context.Service<Connection, NatsConnection>()("voxbus/nats/Connection") {
  static readonly layer = (address: Address): Layer.Layer<Connection, Retryable> => Layer.effect(Connection, open(address))
}

const open = (address: Address) =>
  Effect.acquireRelease(
    Effect.tryPromise({
      try: () =>
        connect({
          servers: address.url,
          name: address.name,
          ...(address.user === undefined ? {} : { user: address.user, pass: address.password ?? "" }),
          inboxPrefix: inboxPrefix(address.user ?? address.name),
          maxReconnectAttempts: -1,
          reconnectTimeWait: 100,
          reconnectJitter: 20,
          ignoreAuthErrorAbort: true
        }),
      catch: (cause) =>
        new Retryable({ code: "bus.unavailable", message: `No NATS server answers at ${address.url}: ${describe(cause)}`, cause })
    }),
    (connection) => Effect.promise(() => connection.close()).pipe(Effect.timeoutOption("2 seconds"))
  )
