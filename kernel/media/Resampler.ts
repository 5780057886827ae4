/**
 * Any sample format, rate and channel layout to mono `s16` of 16 kHz (or another rate), through libswresample: band-limited, all channels
 * weighed into one without clipping, and as long as the input to the sample (its own delay is compensated).
 *
 * A source may change its format on the way (damaged files do): the converter is then flushed and built anew.
 */
import type { Frame, SoftwareResampleContext } from "node-av/lib"
import { TIMELINE_RATE } from "../../contract/Events.ts"
import type { Ffmpeg } from "./Ffmpeg.ts"

export interface Resampler {
  /** Samples that became ready; none when the frame cannot be converted. */
  readonly push: (frame: Frame) => Int16Array
  /** Interleaved `s16`. */
  readonly pushPcm: (pcm: Int16Array, rate: number, from: number) => Int16Array
  /** What is left inside, at the end. */
  readonly flush: () => Int16Array
  readonly close: () => void
}

/** A damaged header that says 1 Hz would make hours of nothing out of seconds. */
export const isRate = (hertz: number): boolean => Number.isInteger(hertz) && hertz >= 2_000 && hertz <= 768_000

const NONE = new Int16Array(0)

const asBuffer = (pcm: Int16Array) => Buffer.from(pcm.buffer, pcm.byteOffset, pcm.byteLength)

/**
 * @param channels of what comes out, interleaved: 1 mixes all into one, 2 keeps left and right
 * @param target hertz of what comes out
 */
export const makeResampler = ({ lib, constants }: Ffmpeg, channels: 1 | 2 = 1, target: number = TIMELINE_RATE): Resampler => {
  const mixed = lib.avChannelLayoutDefault(channels)
  const format = constants.AV_SAMPLE_FMT_S16
  const out = new lib.Frame()
  out.alloc()
  let context: SoftwareResampleContext | undefined
  let configured = ""

  const convert = (frame: Frame | null): Int16Array => {
    if (context === undefined) return NONE
    out.unref()
    out.format = format
    out.sampleRate = target
    out.channelLayout = mixed
    if (context.convertFrame(out, frame) < 0 || out.nbSamples <= 0) return NONE
    const bytes = out.toBuffer()
    const samples = new Int16Array(out.nbSamples * channels)
    asBuffer(samples).set(bytes.subarray(0, samples.byteLength))
    return samples
  }

  const flush = (): Int16Array => {
    const rest = convert(null)
    context?.free()
    context = undefined
    configured = ""
    return rest
  }

  /** Builds the converter for this frame's format; the rest of the one before, if there was one. */
  const configure = (frame: Frame): Int16Array => {
    // "3 channels, unordered" is what plain WAV says; the converter wants to know which they are.
    if (frame.channelLayout.order === constants.AV_CHANNEL_ORDER_UNSPEC) frame.channelLayout = lib.avChannelLayoutDefault(frame.channels)
    const layout = frame.channelLayout
    const wanted = `${frame.sampleRate} ${frame.format} ${layout.nbChannels} ${layout.mask}`
    if (wanted === configured) return NONE
    const rest = flush()
    const next = new lib.SoftwareResampleContext()
    // The format of an audio frame is a sample format; the type cannot tell.
    const sampleFormat = frame.format as typeof format
    const ready =
      isRate(frame.sampleRate) && next.allocSetOpts2(mixed, format, target, layout, sampleFormat, frame.sampleRate) >= 0 && next.init() >= 0
    if (ready) {
      context = next
      configured = wanted
    } else next.free()
    return rest
  }

  const push = (frame: Frame): Int16Array => {
    const rest = configure(frame)
    const samples = convert(frame)
    return rest.length === 0 ? samples : joined([rest, samples])
  }

  return {
    push,
    pushPcm: (pcm, rate, from) => {
      const nbSamples = Math.floor(pcm.length / from)
      if (nbSamples === 0) return NONE
      const whole = pcm.subarray(0, nbSamples * from)
      const frame = lib.Frame.fromAudioBuffer(asBuffer(whole), {
        nbSamples,
        format,
        sampleRate: rate,
        channelLayout: lib.avChannelLayoutDefault(from)
      })
      try {
        return push(frame)
      } finally {
        frame.free()
      }
    },
    flush,
    close: () => {
      context?.free()
      context = undefined
      out.free()
    }
  }
}

/** The arrays one after the other. */
export const joined = (parts: ReadonlyArray<Int16Array>): Int16Array => {
  const whole = new Int16Array(parts.reduce((sum, part) => sum + part.length, 0))
  let at = 0
  for (const part of parts) {
    whole.set(part, at)
    at += part.length
  }
  return whole
}
