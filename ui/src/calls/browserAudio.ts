/** The audio of a call as the browser has it: the microphone, and on a second channel what a tab plays. */
export type BrowserSource = "microphone" | "tab"

export interface BrowserAudio {
  readonly sampleRate: number
  /** Channel 0 is this side of the call, channel 1 the others. */
  readonly channels: number
  readonly close: () => void
}

/** Interleaved `s16le`. */
export type OnAudio = (pcm: Int16Array) => void

const microphone = (device: string) =>
  navigator.mediaDevices.getUserMedia({
    audio: {
      echoCancellation: false,
      noiseSuppression: false,
      autoGainControl: true,
      ...(device === "" ? {} : { deviceId: { exact: device } })
    }
  })

/** Browsers share the sound of a tab only together with its picture, which is not wanted. */
const tab = async () => {
  const stream = await navigator.mediaDevices.getDisplayMedia({ audio: true, video: true })
  for (const track of stream.getVideoTracks()) track.stop()
  if (stream.getAudioTracks().length === 0) throw new DOMException("no audio was shared", "NotFoundError")
  return stream
}

/**
 * Asks for what is wanted; rejects with the browser's reason.
 *
 * @param onEnd the microphone was unplugged, or the tab is not shared any more
 */
export const openBrowserAudio = async (
  source: BrowserSource,
  device: string,
  onAudio: OnAudio,
  onEnd: () => void
): Promise<BrowserAudio> => {
  // The tab first: choosing it must follow the click at once.
  const others = source === "tab" ? [await tab()] : []
  const streams = [await microphone(device), ...others]
  const context = new AudioContext({ latencyHint: "balanced" })
  await context.audioWorklet.addModule("/call-worklet.js")
  const channels = streams.length
  const node = new AudioWorkletNode(context, "call", {
    processorOptions: { channels },
    channelCount: channels,
    channelCountMode: "explicit",
    channelInterpretation: "discrete"
  })
  const merger = context.createChannelMerger(channels)
  for (const [index, stream] of streams.entries()) {
    const mono = context.createGain()
    mono.channelCount = 1
    mono.channelCountMode = "explicit"
    context.createMediaStreamSource(stream).connect(mono).connect(merger, 0, index)
    for (const track of stream.getAudioTracks()) track.addEventListener("ended", onEnd)
  }
  node.port.addEventListener("message", ({ data }: MessageEvent<{ pcm: ArrayBuffer }>) => onAudio(new Int16Array(data.pcm)))
  node.port.start()
  // Its output is silence; without a way to the destination some browsers do not run it.
  merger.connect(node).connect(context.destination)
  await context.resume()
  const close = () => {
    for (const stream of streams) for (const track of stream.getTracks()) track.stop()
    context.close().catch(() => undefined)
  }
  return { sampleRate: context.sampleRate, channels, close }
}
