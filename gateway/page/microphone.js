/**
 * The microphone: opened at the first press, kept for half a minute after the last one so that the next press loses no
 * word, then let go (the browser's recording sign goes out).
 */
const RELEASE_MS = 30_000
/** How long the last frame may take; it takes 3 ms, and for ever when the device was unplugged. */
const FLUSH_MS = 500

export class Microphone {
  #opening
  #node
  #context
  #stream
  #release
  #onFrame = () => {}
  #onEnd = () => {}

  /** Asks for the microphone; resolves to its sample rate in hertz. Rejects with the browser's reason. */
  open() {
    clearTimeout(this.#release)
    this.#opening ??= this.#start().catch((cause) => {
      this.close()
      throw cause
    })
    return this.#opening
  }

  async #start() {
    this.#stream = await navigator.mediaDevices.getUserMedia({
      audio: { channelCount: 1, echoCancellation: true, noiseSuppression: true, autoGainControl: true }
    })
    this.#context = new AudioContext({ latencyHint: "interactive" })
    await this.#context.audioWorklet.addModule("capture-worklet.js")
    this.#node = new AudioWorkletNode(this.#context, "capture")
    this.#node.port.onmessage = ({ data }) => (data.end ? this.#onEnd() : this.#onFrame(data.pcm, data.level))
    // Its output is silence; without a way to the destination some browsers do not run it.
    this.#context.createMediaStreamSource(this.#stream).connect(this.#node).connect(this.#context.destination)
    await this.#context.resume()
    return this.#context.sampleRate
  }

  /** Calls back with every 40 ms of `s16le` and its level (0..1). The microphone must be open. */
  record(onFrame) {
    this.#onFrame = onFrame
    this.#node.port.postMessage("start")
  }

  /** Resolves when the last frame was handed over. */
  finish() {
    const ended = new Promise((resolve) => {
      this.#onEnd = resolve
      setTimeout(resolve, FLUSH_MS)
    })
    this.#node?.port.postMessage("stop")
    this.#release = setTimeout(() => this.close(), RELEASE_MS)
    return ended
  }

  close() {
    clearTimeout(this.#release)
    for (const track of this.#stream?.getTracks() ?? []) track.stop()
    this.#context?.close()
    this.#opening = this.#stream = this.#context = this.#node = undefined
  }
}
