/**
 * A nats-server takes up its changed configuration on SIGHUP, without losing a connection, and does not say when it has.
 * So every configuration has a user of its own that may do nothing: when the server lets it in, the rest counts too.
 */
import * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"
import { randomBytes } from "node:crypto"
import { createConnection } from "node:net"
import { Retryable, Terminal } from "../Failure.ts"

export interface Canary {
  readonly name: string
  readonly password: string
  readonly permissions: { readonly publish: ReadonlyArray<string>; readonly subscribe: ReadonlyArray<string> }
}

/** Of the user; nobody else may have it. */
export const CANARY = "configuration"

const NOTHING = "_nothing"

export const freshCanary = (): Canary => ({
  name: CANARY,
  password: randomBytes(24).toString("base64url"),
  permissions: { publish: [NOTHING], subscribe: [NOTHING] }
})

const unchanged = new Retryable({ code: "bus.unavailable", message: "nats-server has not taken up its new configuration; see nats.log." })

/** Whether the server lets it in. Spoken by hand: a client would go on trying to connect. */
const letsIn = (port: number, { name, password }: Canary) =>
  Effect.callback<void, Retryable>((resume) => {
    const socket = createConnection(port, "127.0.0.1")
    let heard = ""
    socket.setTimeout(1_000, () => socket.destroy(new Error("timeout")))
    socket.once("error", () => resume(Effect.fail(unchanged)))
    socket.setEncoding("utf8").on("data", (text: string) => {
      const greeted = heard === ""
      heard += text
      if (greeted) socket.write(`CONNECT ${JSON.stringify({ user: name, pass: password, verbose: false, name })}\r\nPING\r\n`)
      if (!/^(PONG|-ERR)/m.test(heard)) return
      socket.destroy()
      resume(heard.includes("-ERR") ? Effect.fail(unchanged) : Effect.void)
    })
    return Effect.sync(() => socket.destroy())
  })

/** Tells the server, and waits until the configuration with this canary counts. A server that is just starting reads it anyway. */
export const reloaded = Effect.fnUntraced(function* (port: number, canary: Canary, pid: number | undefined) {
  if (process.platform === "win32")
    return yield* new Terminal({ code: "bus.unavailable", message: "On Windows this counts when Voxbus is started again." })
  if (pid !== undefined) yield* Effect.sync(() => process.kill(pid, "SIGHUP"))
  yield* letsIn(port, canary).pipe(Effect.retry(Schedule.spaced("25 millis").pipe(Schedule.upTo({ duration: "10 seconds" }))))
})
