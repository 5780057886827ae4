/** The socket to the gateway: connects, connects again, hands over messages and binary frames. See gateway/Protocol.ts. */
import type { ClientMessage, ServerMessage } from "../../../gateway/Protocol.ts"

const FIRST_PAUSE_MS = 300
const LONGEST_PAUSE_MS = 5_000

export interface SocketHandlers {
  readonly onOpen: () => void
  readonly onMessage: (message: ServerMessage) => void
  readonly onAudio: (pcm: ArrayBuffer) => void
  readonly onClose: () => void
}

export interface SocketOptions {
  readonly longestPauseMs?: number
  readonly open?: () => WebSocket
}

const ofThisPage = () => new WebSocket(`${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/ws`)

export class Socket {
  #socket: WebSocket | undefined
  #pause = FIRST_PAUSE_MS
  #timer: ReturnType<typeof setTimeout> | undefined
  #closed = false
  readonly #handlers: SocketHandlers

  readonly #open: () => WebSocket
  readonly #longestPause: number

  /** @param options for one who is not the page, or cannot wait as long between two tries */
  constructor(handlers: SocketHandlers, { longestPauseMs = LONGEST_PAUSE_MS, open = ofThisPage }: SocketOptions = {}) {
    this.#handlers = handlers
    this.#open = open
    this.#longestPause = longestPauseMs
    this.#connect()
  }

  #connect(): void {
    const socket = this.#open()
    socket.binaryType = "arraybuffer"
    socket.addEventListener("open", () => {
      this.#pause = FIRST_PAUSE_MS
      this.#handlers.onOpen()
    })
    socket.addEventListener("message", ({ data }: MessageEvent<string | ArrayBuffer>) =>
      typeof data === "string" ? this.#handlers.onMessage(JSON.parse(data) as ServerMessage) : this.#handlers.onAudio(data)
    )
    socket.addEventListener("close", () => {
      if (this.#closed) return
      this.#handlers.onClose()
      this.#timer = setTimeout(() => this.#connect(), this.#pause)
      this.#pause = Math.min(this.#longestPause, this.#pause * 2)
    })
    this.#socket = socket
  }

  get open(): boolean {
    return this.#socket?.readyState === WebSocket.OPEN
  }

  send(message: ClientMessage): void {
    if (this.open) this.#socket?.send(JSON.stringify(message))
  }

  sendAudio(pcm: ArrayBuffer): void {
    if (this.open) this.#socket?.send(pcm)
  }

  /** Hangs up and calls again: for the gateway a new client. */
  renew(): void {
    this.#socket?.close()
  }

  /** Ends it for good. */
  close(): void {
    this.#closed = true
    clearTimeout(this.#timer)
    this.#socket?.close()
  }
}
