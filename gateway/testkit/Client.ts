/** A client of `/ws` for tests: sends, collects what comes, and waits for it. */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { type MessageEvent, WebSocket } from "undici"
import { type ClientMessage, ServerMessage } from "../Protocol.ts"

type Of<T extends ServerMessage["type"]> = Extract<ServerMessage, { readonly type: T }>

export interface Received {
  readonly message: ServerMessage
  /** Binary frames that followed. */
  readonly frames: Array<Uint8Array>
  /** Epoch milliseconds at which the message came, and the first binary frame behind it. */
  readonly at: number
  audioAt?: number
}

const decodeMessage = Schema.decodeUnknownSync(Schema.fromJsonString(ServerMessage), { onExcessProperty: "error" })
const now = () => performance.timeOrigin + performance.now()

export interface Client {
  readonly received: ReadonlyArray<Received>
  /** Set when the socket is closed. */
  readonly closeCode: () => number | undefined
  readonly send: (message: ClientMessage) => Effect.Effect<void>
  /** Anything at all, to see what comes of it. */
  readonly sendRaw: (data: string | Uint8Array<ArrayBuffer>) => Effect.Effect<void>
  /** Waits for the first message of this type that matches, from the first on; dies after 10 s. */
  readonly until: <T extends ServerMessage["type"]>(type: T, matches?: (message: Of<T>) => boolean) => Effect.Effect<Of<T>>
  /** All so far, by type. */
  readonly all: <T extends ServerMessage["type"]>(type: T) => ReadonlyArray<Of<T>>
  readonly close: Effect.Effect<void>
}

/** Connects; the socket is closed with the scope. */
export const connect = Effect.fnUntraced(function* ({ url, token }: { readonly url: string; readonly token: string }) {
  const received: Array<Received> = []
  const waiting = new Set<() => void>()
  let closeCode: number | undefined
  const socket = yield* Effect.acquireRelease(
    Effect.callback<WebSocket>((resume) => {
      const opened = new WebSocket(`${url.replace(/^http/, "ws")}/ws`, { headers: { authorization: `Bearer ${token}` } })
      opened.binaryType = "arraybuffer"
      opened.addEventListener("open", () => resume(Effect.succeed(opened)))
      opened.addEventListener("error", () => resume(Effect.die(new Error(`No WebSocket at ${url}/ws`))))
      opened.addEventListener("close", ({ code }) => {
        closeCode = code
        for (const check of waiting) check()
      })
      opened.addEventListener("message", ({ data }: MessageEvent<string | ArrayBuffer>) => {
        const last = received.at(-1)
        if (typeof data === "string") received.push({ message: decodeMessage(data), frames: [], at: now() })
        else if (last !== undefined) {
          last.audioAt ??= now()
          last.frames.push(new Uint8Array(data))
        }
        for (const check of waiting) check()
      })
    }),
    (opened) => Effect.sync(() => opened.close())
  )
  const all = <T extends ServerMessage["type"]>(type: T): ReadonlyArray<Of<T>> =>
    received.flatMap(({ message }) => (message.type === type ? [message as Of<T>] : []))
  const client: Client = {
    received,
    all,
    closeCode: () => closeCode,
    send: (message) => Effect.sync(() => socket.send(JSON.stringify(message))),
    sendRaw: (data) => Effect.sync(() => socket.send(data)),
    close: Effect.sync(() => socket.close()),
    until: (type, matches = () => true) =>
      Effect.callback<Of<typeof type>>((resume) => {
        const check = () => {
          const found = all(type).find(matches)
          if (found !== undefined) resume(Effect.succeed(found))
        }
        waiting.add(check)
        check()
        return Effect.sync(() => waiting.delete(check))
      }).pipe(
        Effect.timeoutOrElse({
          duration: "10 seconds",
          orElse: () =>
            Effect.die(
              new Error(`No ${type} within 10 s; there were ${received.map(({ message }) => message.type).join(", ") || "no messages"}.`)
            )
        })
      )
  }
  return client
})
