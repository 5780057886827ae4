/**
 * Encodes 16 kHz mono samples to a file with any encoder of FFmpeg; Opus is what the product uses it for, the other formats
 * are for tests. Bit-exact: the same samples give the same bytes (no random serials, no versions in the
 * file).
 */
import { TIMELINE_RATE } from "../../contract/Events.ts"
import type { Ffmpeg } from "./Ffmpeg.ts"
import { joined } from "./Resampler.ts"

export interface EncoderOptions {
  /** FFmpeg's short name of the container. */
  readonly container: "ogg" | "webm" | "flac" | "mp3" | "ipod"
  readonly encoder: "libopus" | "flac" | "libmp3lame" | "aac"
  readonly bitsPerSecond: number
}

export interface Encoder {
  /** All but an unfinished frame. */
  readonly write: (samples: Int16Array) => void
  readonly finish: () => void
  readonly close: () => void
}

const bytesOf = (array: Int16Array | Float32Array) => Buffer.from(array.buffer, array.byteOffset, array.byteLength)

/** Throws when FFmpeg refuses. */
export const openEncoder = ({ lib, constants }: Ffmpeg, path: string, options: EncoderOptions): Encoder => {
  const check = (code: number, step: string) => lib.FFmpegError.throwIfError(code, step)
  const mono = lib.avChannelLayoutDefault(1)
  const timeBase = new lib.Rational(1, TIMELINE_RATE)
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
  check(output.allocOutputContext2(null, options.container, `file:${path}`), "container")
  output.setFlags(constants.AVFMT_FLAG_BITEXACT)
  const codec = lib.Codec.findEncoderByName(names[options.encoder])
  if (codec === null) throw new Error(`node-av was built without ${options.encoder}`)
  const context = new lib.CodecContext()
  context.allocContext3(codec)
  context.sampleRate = TIMELINE_RATE
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
  check(output.openOutputSync(), "file")
  check(output.writeHeaderSync(null), "header")
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
      sampleRate: TIMELINE_RATE,
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
      output.closeOutputSync()
      output.freeContext()
    }
  }
}
