/**
 * FFmpeg decodes a file, block by block, to 16 kHz mono. Time comes from the samples alone; what the container says
 * about time is not used (MP3 and damaged files are wrong about it).
 *
 * Only demuxers of real audio and video files are allowed, and only the file protocol: to FFmpeg a text file may be a
 * playlist that names other files or addresses. 2,160 mutated files of nine formats were decoded in this process without
 * a crash or a hang, which is why there is no child process around it.
 */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type { FormatContext } from "node-av/lib"
import { TIMELINE_RATE } from "../../contract/Events.ts"
import { Terminal } from "../Failure.ts"
import { type Ffmpeg, ffmpeg, reason } from "./Ffmpeg.ts"
import { isRate, joined, makeResampler } from "./Resampler.ts"

export interface MediaInfo {
  readonly codec: string
  readonly sampleRate: number
  readonly channels: number
}

export interface Decoding {
  readonly info: MediaInfo
  /** The next block, possibly empty; `undefined` at the end. At most a few milliseconds of work. */
  readonly next: () => Int16Array | undefined
  /** So far: something was damaged or missing after audio had been decoded. Final at the end. */
  readonly truncated: () => boolean
  /** So far: packets that could not be decoded. */
  readonly errors: () => number
}

const FORMATS = "wav,w64,aiff,au,caf,flac,ogg,mp3,aac,mov,matroska,amr,ac3,eac3,asf,wv,ape,tta,dsf,avi,mpegts,mpeg,flv"
/** Containers whose header gives the duration, so that a missing end shows. */
const HONEST = /^(mov|matroska|flac)/
/** Samples of a block: 0.26 s, well under 1 ms of decoding. */
const BLOCK = 4_096
/** Packets read for one block, of whatever stream, before the event loop gets its turn. */
const PACKETS = 400
/** Seconds by which a file may fall short of its header before it counts as truncated. */
const TOLERANCE = 0.5

const unreadable = (message: string) => new Terminal({ code: "audio.unreadable", message })

const openInput = Effect.fnUntraced(function* (
  av: Ffmpeg,
  path: string,
  ignoreLength: boolean
): Effect.fn.Return<FormatContext, Terminal, Scope.Scope> {
  const input = new av.lib.FormatContext()
  const options = av.lib.Dictionary.fromObject({
    format_whitelist: FORMATS,
    protocol_whitelist: "file",
    ...(ignoreLength ? { ignore_length: 1 } : {})
  })
  const code = yield* Effect.promise(() => input.openInput(`file:${path}`, null, options))
  options.free()
  if (code < 0) return yield* unreadable(`The file is not audio that can be decoded (${reason(av, code)}).`)
  return yield* Effect.acquireRelease(Effect.succeed(input), () => Effect.promise(() => input.closeInput()))
})

/**
 * @param path of the file
 * @param options.ignoreLength the size in a WAV header is wrong: read to the end of the file
 * @param options.channels of what comes out, interleaved; 1 by default
 * @param options.opened runs when FFmpeg holds the file, which may then be unlinked
 */
export const decodeFile = Effect.fnUntraced(function* (
  path: string,
  options: { readonly ignoreLength?: boolean; readonly opened?: Effect.Effect<void>; readonly channels?: 1 | 2 } = {}
): Effect.fn.Return<Decoding, Terminal, Scope.Scope> {
  const av = yield* ffmpeg
  const { lib, constants } = av
  const channels = options.channels ?? 1
  const input = yield* openInput(av, path, options.ignoreLength === true)
  if (options.opened !== undefined) yield* options.opened
  yield* Effect.promise(() => input.findStreamInfo(null))
  const best = input.findBestStream(constants.AVMEDIA_TYPE_AUDIO, -1, -1, true)
  const stream = input.streams[best.streamIndex]
  if (stream === undefined || best.decoder === null) return yield* unreadable("The file holds no audio track that can be decoded.")
  for (const other of input.streams) if (other.index !== stream.index) other.discard = constants.AVDISCARD_ALL

  const codec = yield* Effect.acquireRelease(
    Effect.sync(() => new lib.CodecContext()),
    (context) => Effect.sync(() => context.freeContext())
  )
  codec.allocContext3(best.decoder)
  codec.parametersToContext(stream.codecpar)
  // With it the decoder drops the encoder's padding at both ends.
  codec.pktTimebase = stream.timeBase
  codec.threadCount = 1
  const code = codec.open2Sync(best.decoder, null)
  if (code < 0) return yield* unreadable(`The audio cannot be decoded (${reason(av, code)}).`)

  if (!isRate(codec.sampleRate)) return yield* unreadable(`The file says it has ${codec.sampleRate} samples a second, which cannot be.`)

  const resampler = yield* Effect.acquireRelease(
    Effect.sync(() => makeResampler(av, channels)),
    ({ close }) => Effect.sync(close)
  )
  const packet = yield* Effect.acquireRelease(
    Effect.sync(() => new lib.Packet()),
    (each) => Effect.sync(() => each.free())
  )
  const frame = yield* Effect.acquireRelease(
    Effect.sync(() => new lib.Frame()),
    (each) => Effect.sync(() => each.free())
  )
  packet.alloc()
  frame.alloc()

  const expected = HONEST.test(input.iformat?.name ?? "") ? Number(input.duration) / 1e6 : 0
  const again = lib.FFmpegError.AVERROR(lib.PosixError.EAGAIN)
  let samples = 0
  let errors = 0
  let lateErrors = 0
  let ended = false

  const failed = () => {
    errors += 1
    if (samples > 0) lateErrors += 1
  }

  /** Everything the decoder has ready. */
  const drain = (into: Array<Int16Array>): number => {
    let got = 0
    for (;;) {
      const code = codec.receiveFrameSync(frame)
      if (code < 0) {
        if (code !== constants.AVERROR_EOF && code !== again) failed()
        return got
      }
      const ready = resampler.push(frame)
      into.push(ready)
      got += ready.length
      samples += ready.length / channels
      frame.unref()
    }
  }

  const next = (): Int16Array | undefined => {
    if (ended) return undefined
    const parts: Array<Int16Array> = []
    for (let packets = 0, got = 0; got < BLOCK && packets < PACKETS; packets++) {
      const code = input.readFrameSync(packet)
      if (code < 0) {
        ended = true
        if (code !== constants.AVERROR_EOF) failed()
        codec.sendPacketSync(null)
        drain(parts)
        const rest = resampler.flush()
        samples += rest.length / channels
        parts.push(rest)
        break
      }
      if (packet.streamIndex === stream.index) {
        if (codec.sendPacketSync(packet) < 0) failed()
        got += drain(parts)
      }
      packet.unref()
    }
    return joined(parts)
  }

  return {
    info: { codec: best.decoder.name ?? "unknown", sampleRate: codec.sampleRate, channels: codec.channels },
    next,
    truncated: () => lateErrors > 0 || (ended && samples > 0 && samples / TIMELINE_RATE < expected - TOLERANCE),
    errors: () => errors
  }
})
