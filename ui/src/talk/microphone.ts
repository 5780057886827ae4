/**
 * The microphone: opened at the first press, kept for half a minute after the last one so that the next press loses no
 * word, then let go (the browser's recording sign goes out).
 */
const RELEASE_MS = 30_000
/** How long the last frame may take; it takes 3 ms, and for ever when the device was unplugged. */
const FLUSH_MS = 500

/** 40 ms of mono `s16le` and its loudest sample, 0..1. */
export type OnFrame = (pcm: ArrayBuffer, level: number) => void

interface Open {
  readonly stream: MediaStream
  readonly context: AudioContext
  readonly node: AudioWorkletNode
}

export class Microphone {
  #opening: Promise<Open> | undefined
  #device = ""
  #release: ReturnType<typeof setTimeout> | undefined
  #onFrame: OnFrame = () => undefined
  #onEnd: () => void = () => undefined

  /** Asks for the microphone; resolves to its sample rate in hertz. Rejects with the browser's reason. */
  async open(device = ""): Promise<number> {
    clearTimeout(this.#release)
    if (device !== this.#device) this.close()
    this.#device = device
    this.#opening ??= this.#start(device)
    try {
      return (await this.#opening).context.sampleRate
    } catch (cause) {
      this.#opening = undefined
      throw cause
    }
  }

  async #start(device: string): Promise<Open> {
    const stream = await navigator.mediaDevices.getUserMedia({
      audio: {
        channelCount: 1,
        echoCancellation: true,
        noiseSuppression: true,
        autoGainControl: true,
        // Not `exact`: when it is not there any more, the browser takes another.
        ...(device === "" ? {} : { deviceId: device })
      }
    })
    const context = new AudioContext({ latencyHint: "interactive" })
    await context.audioWorklet.addModule("/capture-worklet.js")
    const node = new AudioWorkletNode(context, "capture")
    node.port.addEventListener("message", ({ data }: MessageEvent<{ end?: true; pcm: ArrayBuffer; level: number }>) =>
      data.end === true ? this.#onEnd() : this.#onFrame(data.pcm, data.level)
    )
    node.port.start()
    // Its output is silence; without a way to the destination some browsers do not run it.
    context.createMediaStreamSource(stream).connect(node).connect(context.destination)
    await context.resume()
    return { stream, context, node }
  }

  /** The browser takes out of the microphone what it plays; known once it is open. */
  async cancelsEcho(): Promise<boolean> {
    const open = await this.#opening
    return open?.stream.getAudioTracks()[0]?.getSettings().echoCancellation === true
  }

  /** Calls back with every frame. The microphone must be open. */
  async record(onFrame: OnFrame): Promise<void> {
    this.#onFrame = onFrame
    const open = await this.#opening
    open?.node.port.postMessage("start")
  }

  /** Resolves when the last frame was handed over. */
  async finish(): Promise<void> {
    const open = await this.#opening
    if (open === undefined) return
    const ended = new Promise<void>((resolve) => {
      this.#onEnd = resolve
      setTimeout(resolve, FLUSH_MS)
    })
    open.node.port.postMessage("stop")
    this.#release = setTimeout(() => this.close(), RELEASE_MS)
    await ended
  }

  close(): void {
    clearTimeout(this.#release)
    const opening = this.#opening
    this.#opening = undefined
    const release = async () => {
      const open = await opening
      for (const track of open?.stream.getTracks() ?? []) track.stop()
      await open?.context.close()
    }
    release().catch(() => undefined)
  }
}
