/**
 * One connection to NATS for a process. Reconnects for ever, ten times a second, so a restarted server is found at once;
 * of a cluster any node will do, and the others are learnt from it.
 *
 * A wrong password or certificate is a failure at the start (`bus.denied`), not something to wait for. Passwords never
 * reach a message: addresses are shown without them.
 */
import {
  type Authenticator,
  AuthorizationError,
  connect,
  credsAuthenticator,
  type NatsConnection,
  nkeyAuthenticator,
  usernamePasswordAuthenticator
} from "@nats-io/transport-node"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { readFileSync } from "node:fs"
import { describe, Retryable, Terminal } from "../Failure.ts"

export interface Tls {
  /** PEM files: who may sign the server's certificate; our own certificate and its key. Empty: not used. */
  readonly caFile: string
  readonly certFile: string
  readonly keyFile: string
}

export interface Address {
  /** `nats://host:port` or `tls://host:port`; several, separated by commas, for a cluster. */
  readonly url: string
  readonly user?: string
  readonly password?: string
  /** A `.creds` file (JWT and seed) or a file with an NKey seed; instead of user and password. */
  readonly credentialsFile?: string
  readonly tls?: Tls
  /** Shown by the server's monitoring; also the private prefix of this connection's replies. */
  readonly name: string
}

/** Milliseconds for one connection with its handshakes. */
const CONNECT_MS = 10_000

/** Replies arrive below this prefix; the permissions of a user allow only its own. */
export const inboxPrefix = (name: string): string => `_INBOX_${name.replace(/[^A-Za-z0-9_]/g, "_")}`

export class Connection extends Context.Service<Connection, NatsConnection>()("voxbus/nats/Connection") {
  static readonly layer = (address: Address): Layer.Layer<Connection, Retryable | Terminal> => Layer.effect(Connection, open(address))
}

const authenticatorOf = ({ credentialsFile, user, password }: Address): Effect.Effect<Authenticator | undefined, Terminal> => {
  if (credentialsFile === undefined || credentialsFile === "") {
    return Effect.succeed(user === undefined ? undefined : usernamePasswordAuthenticator(user, password ?? ""))
  }
  return Effect.try({
    try: () => {
      const bytes = readFileSync(credentialsFile)
      const text = bytes.toString("utf8").trim()
      return text.startsWith("SU") ? nkeyAuthenticator(new TextEncoder().encode(text)) : credsAuthenticator(new Uint8Array(bytes))
    },
    catch: (cause) =>
      new Terminal({
        code: "config.invalid",
        message: `The bus credentials in ${credentialsFile} cannot be read: ${describe(cause)}`,
        cause
      })
  })
}

const tlsOf = ({ url, tls }: Address) => {
  const files = {
    ...(tls?.caFile ? { caFile: tls.caFile } : {}),
    ...(tls?.certFile ? { certFile: tls.certFile } : {}),
    ...(tls?.keyFile ? { keyFile: tls.keyFile } : {})
  }
  return url.includes("tls://") || Object.keys(files).length > 0 ? { tls: files } : {}
}

/** OpenSSL's and Node's codes for a certificate that is not to be trusted, or not for this host. */
const CERTIFICATE = /certificate|CERT_|SELF_SIGNED|UNABLE_TO_|tls/i

const causes = (cause: unknown): ReadonlyArray<unknown> =>
  cause instanceof Error && cause.cause !== undefined ? [cause, ...causes(cause.cause)] : [cause]

const refusal = (address: Address, cause: unknown): Retryable | Terminal => {
  const chain = causes(cause)
  const reason = chain.map(describe).join(": ")
  if (chain.some((each) => each instanceof AuthorizationError)) {
    return new Terminal({
      code: "bus.denied",
      message: `The bus at ${address.url} does not accept ${address.user === undefined ? "these credentials" : `the password of ${address.user}`}.`,
      cause
    })
  }
  if (CERTIFICATE.test(reason)) {
    return new Terminal({ code: "bus.denied", message: `No trusted TLS connection to ${address.url}: ${reason}`, cause })
  }
  // With TLS 1.3 a client learns only by silence that the server wanted a certificate of it.
  const hint =
    /timeout/i.test(reason) && tlsOf(address).tls !== undefined && !address.tls?.certFile
      ? ". A server that wants a certificate of its clients stays silent like this: set VOXBUS_BUS_CERT_FILE and VOXBUS_BUS_KEY_FILE"
      : ""
  return new Retryable({ code: "bus.unavailable", message: `No NATS server answers at ${address.url}: ${reason}${hint}`, cause })
}

const open = (address: Address) =>
  Effect.acquireRelease(
    Effect.flatMap(authenticatorOf(address), (authenticator) =>
      Effect.tryPromise({
        try: () =>
          connect({
            servers: address.url.split(",").map((each) => each.trim()),
            name: address.name,
            ...(authenticator === undefined ? {} : { authenticator }),
            ...tlsOf(address),
            inboxPrefix: inboxPrefix(address.user ?? address.name),
            maxReconnectAttempts: -1,
            timeout: CONNECT_MS,
            reconnectTimeWait: 100,
            reconnectJitter: 20,
            // A node that was killed without a word: noticed after 10 s at most.
            pingInterval: 5_000,
            ignoreAuthErrorAbort: true
          }),
        catch: (cause) => refusal(address, cause)
      })
    ),
    // What was said last (a message given back) shall arrive.
    (connection) =>
      Effect.promise(() => connection.flush().then(() => connection.close())).pipe(
        Effect.timeoutOption("2 seconds"),
        Effect.catchCause(() => Effect.void)
      )
  )
