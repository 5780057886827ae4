/** The socket to the gateway: connects, connects again, hands over messages and binary frames. */
const FIRST_PAUSE_MS = 300
const LONGEST_PAUSE_MS = 5_000

export class Connection {
  #socket
  #pause = FIRST_PAUSE_MS
  #handlers

  /** @param handlers { onOpen(), onMessage(message), onAudio(buffer), onClose() } */
  constructor(handlers) {
    this.#handlers = handlers
    this.#connect()
  }

  #connect() {
    const socket = new WebSocket(`${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/ws`)
    socket.binaryType = "arraybuffer"
    socket.onopen = () => {
      this.#pause = FIRST_PAUSE_MS
      this.#handlers.onOpen()
    }
    socket.onmessage = ({ data }) => (typeof data === "string" ? this.#handlers.onMessage(JSON.parse(data)) : this.#handlers.onAudio(data))
    socket.onclose = () => {
      this.#handlers.onClose()
      setTimeout(() => this.#connect(), this.#pause)
      this.#pause = Math.min(LONGEST_PAUSE_MS, this.#pause * 2)
    }
    this.#socket = socket
  }

  get open() {
    return this.#socket.readyState === WebSocket.OPEN
  }

  send(message) {
    if (this.open) this.#socket.send(JSON.stringify(message))
  }

  sendAudio(pcm) {
    if (this.open) this.#socket.send(pcm)
  }
}
