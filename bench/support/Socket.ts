/** A client of the gateway's WebSocket that notes when everything came. Patient, as a benchmark on a busy machine must be. */
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { type MessageEvent, WebSocket } from "undici"
import { type ClientMessage, ServerMessage } from "../../gateway/Protocol.ts"
import { Terminal } from "../../kernel/Failure.ts"
import { homeToken } from "../../kernel/Tokens.ts"

type Of<T extends ServerMessage["type"]> = Extract<ServerMessage, { readonly type: T }>

export interface Received<M extends ServerMessage = ServerMessage> {
  readonly message: M
  /** Epoch milliseconds of the first binary frame behind it. */
  audioAt?: number
}

export interface Socket {
  readonly send: (message: ClientMessage) => Effect.Effect<void>
  readonly sendAudio: (frame: Uint8Array<ArrayBuffer>) => Effect.Effect<void>
  /** All messages of a type so far. */
  readonly all: <T extends ServerMessage["type"]>(type: T) => ReadonlyArray<Received<Of<T>>>
  /** Waits until `holds`, which is asked after every message; one waits at a time. */
  readonly when: (what: string, holds: () => boolean) => Effect.Effect<void, Terminal>
}

const decode = Schema.decodeUnknownSync(Schema.fromJsonString(ServerMessage))
const PATIENCE = "2 minutes"

/** Epoch milliseconds with fractions, on the clock that the event log's times are on. */
export const now = (): number => performance.timeOrigin + performance.now()

const isOf =
  <T extends ServerMessage["type"]>(type: T) =>
  (received: Received): received is Received<Of<T>> =>
    received.message.type === type

export interface Line extends Pick<Socket, "when"> {
  readonly socket: WebSocket
}

/** Connects with the token of the home; closed with the scope. `receive` gets what comes: a message, or audio as nothing. */
export const connect = Effect.fnUntraced(function* (
  { gateway, home }: { readonly gateway: string; readonly home: string },
  patience: Duration.Input,
  receive: (message: ServerMessage | undefined) => void
) {
  const token = yield* homeToken(home)
  let check: () => void = () => undefined
  const failed = new Terminal({ code: "bus.unavailable", message: `The gateway at ${gateway} closed the connection.` })
  const socket = yield* Effect.acquireRelease(
    Effect.callback<WebSocket, Terminal>((resume) => {
      const opened = new WebSocket(`${gateway.replace(/^http/, "ws")}/ws`, { headers: { authorization: `Bearer ${token}` } })
      opened.binaryType = "arraybuffer"
      opened.addEventListener("open", () => resume(Effect.succeed(opened)))
      opened.addEventListener("error", () => resume(Effect.fail(failed)))
      opened.addEventListener("message", ({ data }: MessageEvent<string | ArrayBuffer>) => {
        receive(typeof data === "string" ? decode(data) : undefined)
        check()
      })
    }),
    (opened) => Effect.sync(() => opened.close())
  )
  const line: Line = {
    socket,
    when: (what, holds) =>
      Effect.callback<void>((resume) => {
        check = () => {
          if (holds()) resume(Effect.void)
        }
        check()
      }).pipe(
        Effect.timeoutOrElse({
          duration: patience,
          orElse: () => Effect.fail(new Terminal({ code: "turn.stalled", message: `There was no ${what} within ${String(patience)}.` }))
        })
      )
  }
  return line
})

/** A connection that keeps everything that came. */
export const openSocket = Effect.fnUntraced(function* (at: { readonly gateway: string; readonly home: string }) {
  const received: Array<Received> = []
  const { socket, when } = yield* connect(at, PATIENCE, (message) => {
    const last = received.at(-1)
    if (message !== undefined) received.push({ message })
    else if (last !== undefined) last.audioAt ??= now()
  })
  const client: Socket = {
    send: (message) => Effect.sync(() => socket.send(JSON.stringify(message))),
    sendAudio: (frame) => Effect.sync(() => socket.send(frame)),
    all: (type) => received.filter(isOf(type)),
    when
  }
  return client
})
