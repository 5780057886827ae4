/**
 * Encodes mono samples with any encoder of FFmpeg: to a file, or to whoever takes the bytes as they come. Bit-exact: the same
 * samples give the same bytes (no random serials, no versions in the file).
 */
import { TIMELINE_RATE } from "../../contract/Events.ts"
import type { Ffmpeg } from "./Ffmpeg.ts"
import { joined } from "./Resampler.ts"

export interface EncoderOptions {
  /** FFmpeg's short name of the container. */
  readonly container: "ogg" | "webm" | "flac" | "mp3" | "ipod" | "adts"
  readonly encoder: "libopus" | "flac" | "libmp3lame" | "aac"
  readonly bitsPerSecond: number
  /** Hertz; 16,000 by default. Opus takes 8, 12, 16, 24 and 48 kHz. */
  readonly sampleRate?: number
}

/** Takes what is ready. The container must do without going back: Ogg, MP3, FLAC, ADTS. */
export type Sink = (bytes: Uint8Array) => void

/** Bytes that FFmpeg collects before it hands them on; packets are handed on at once. */
const SINK_BUFFER = 4_096
/** Longest Ogg page, microseconds: a second would be heard as a pause. */
const OGG_PAGE = "200000"

export interface Encoder {
  /** All but an unfinished frame. */
  readonly write: (samples: Int16Array) => void
  readonly finish: () => void
  readonly close: () => void
}

const bytesOf = (array: Int16Array | Float32Array) => Buffer.from(array.buffer, array.byteOffset, array.byteLength)

/**
 * Throws when FFmpeg refuses.
 *
 * @param target path of a file, or who takes the bytes
 */
export const openEncoder = ({ lib, constants }: Ffmpeg, target: string | Sink, options: EncoderOptions): Encoder => {
  const sampleRate = options.sampleRate ?? TIMELINE_RATE
  const check = (code: number, step: string) => lib.FFmpegError.throwIfError(code, step)
  const mono = lib.avChannelLayoutDefault(1)
  const timeBase = new lib.Rational(1, sampleRate)
  const names = {
    libopus: constants.FF_ENCODER_LIBOPUS,
    flac: constants.FF_ENCODER_FLAC,
    libmp3lame: constants.FF_ENCODER_LIBMP3LAME,
    aac: constants.FF_ENCODER_AAC
  }
  // With one channel, planar and interleaved are the same bytes.
  const formats = {
    libopus: constants.AV_SAMPLE_FMT_S16,
    flac: constants.AV_SAMPLE_FMT_S16,
    libmp3lame: constants.AV_SAMPLE_FMT_S16P,
    aac: constants.AV_SAMPLE_FMT_FLTP
  }
  const format = formats[options.encoder]
  const payload = (samples: Int16Array) =>
    bytesOf(options.encoder === "aac" ? Float32Array.from(samples, (sample) => sample / 32768) : samples)
  const output = new lib.FormatContext()
  const io = typeof target === "string" ? undefined : new lib.IOContext()
  check(output.allocOutputContext2(null, options.container, typeof target === "string" ? `file:${target}` : null), "container")
  output.setFlags(constants.AVFMT_FLAG_BITEXACT)
  if (io !== undefined && typeof target !== "string") {
    io.allocContextWithCallbacks(SINK_BUFFER, 1, null, (bytes) => {
      // The buffer is FFmpeg's, and is used again.
      target(Uint8Array.from(bytes))
      return bytes.length
    })
    output.pb = io
    output.setFlags(constants.AVFMT_FLAG_CUSTOM_IO)
    output.setFlags(constants.AVFMT_FLAG_FLUSH_PACKETS)
  }
  const muxing = options.container === "ogg" && io !== undefined ? lib.Dictionary.fromObject({ page_duration: OGG_PAGE }) : null
  const codec = lib.Codec.findEncoderByName(names[options.encoder])
  if (codec === null) throw new Error(`node-av was built without ${options.encoder}`)
  const context = new lib.CodecContext()
  context.allocContext3(codec)
  context.sampleRate = sampleRate
  context.sampleFormat = format
  context.channelLayout = mono
  context.bitRate = BigInt(options.bitsPerSecond)
  context.timeBase = timeBase
  context.threadCount = 1
  context.setFlags(constants.AV_CODEC_FLAG_BITEXACT)
  // Containers such as MP4 keep the codec's header for themselves.
  if (((output.oformat?.flags ?? 0) & constants.AVFMT_GLOBALHEADER) !== 0) context.setFlags(constants.AV_CODEC_FLAG_GLOBAL_HEADER)
  check(context.open2Sync(codec, null), "encoder")
  const stream = output.newStream()
  stream.timeBase = timeBase
  check(context.parametersFromContext(stream.codecpar), "parameters")
  if (io === undefined) check(output.openOutputSync(), "file")
  check(output.writeHeaderSync(muxing), "header")
  const packet = new lib.Packet()
  packet.alloc()
  let held: Int16Array = new Int16Array(0)
  let position = 0

  const drain = () => {
    while (context.receivePacketSync(packet) >= 0) {
      packet.streamIndex = stream.index
      packet.rescaleTs(timeBase, stream.timeBase)
      check(output.interleavedWriteFrameSync(packet), "write")
      packet.unref()
    }
  }

  const encode = (samples: Int16Array) => {
    const frame = lib.Frame.fromAudioBuffer(payload(samples), {
      nbSamples: samples.length,
      format,
      sampleRate,
      channelLayout: mono,
      timeBase,
      pts: BigInt(position)
    })
    position += samples.length
    try {
      check(context.sendFrameSync(frame), "encode")
    } finally {
      frame.free()
    }
    drain()
  }

  return {
    write: (samples) => {
      const all = held.length === 0 ? samples : joined([held, samples])
      const size = context.frameSize
      let at = 0
      for (; at + size <= all.length; at += size) encode(all.subarray(at, at + size))
      held = all.slice(at)
    },
    finish: () => {
      if (held.length > 0) encode(held)
      check(context.sendFrameSync(null), "end")
      drain()
      check(output.writeTrailerSync(), "trailer")
    },
    close: () => {
      packet.free()
      context.freeContext()
      if (io === undefined) output.closeOutputSync()
      else output.pb = null
      output.freeContext()
      io?.freeContext()
      muxing?.free()
    }
  }
}
