/**
 * The timeline as Ogg/Opus, 24 kbit/s mono: 11 MB an hour, transparent for speech. The same samples give the same
 * bytes (no random stream serial, no encoder version in the file).
 */
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import { mkdtemp, readFile, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { TIMELINE_RATE } from "../../contract/Events.ts"
import { describe, type Failure, Retryable } from "../Failure.ts"
import { type Ffmpeg, ffmpeg } from "./Ffmpeg.ts"
import { joined } from "./Resampler.ts"

const BITS_PER_SECOND = 24_000n
/** Samples encoded before the event loop gets its turn: 1 s, a few milliseconds of work. */
const SLICE = TIMELINE_RATE

const failed = (cause: unknown) => new Retryable({ code: "engine.failed", message: `The Opus encoder failed: ${describe(cause)}`, cause })

interface Encoder {
  /** All but an unfinished frame. */
  readonly write: (samples: Int16Array) => void
  readonly finish: () => void
  readonly close: () => void
}

const openEncoder = ({ lib, constants }: Ffmpeg, path: string): Encoder => {
  const check = (code: number, step: string) => lib.FFmpegError.throwIfError(code, step)
  const mono = lib.avChannelLayoutDefault(1)
  const timeBase = new lib.Rational(1, TIMELINE_RATE)
  const output = new lib.FormatContext()
  check(output.allocOutputContext2(null, "ogg", `file:${path}`), "container")
  output.setFlags(constants.AVFMT_FLAG_BITEXACT)
  const codec = lib.Codec.findEncoderByName(constants.FF_ENCODER_LIBOPUS)
  if (codec === null) throw new Error("node-av was built without libopus")
  const context = new lib.CodecContext()
  context.allocContext3(codec)
  context.sampleRate = TIMELINE_RATE
  context.sampleFormat = constants.AV_SAMPLE_FMT_S16
  context.channelLayout = mono
  context.bitRate = BITS_PER_SECOND
  context.timeBase = timeBase
  context.threadCount = 1
  context.setFlags(constants.AV_CODEC_FLAG_BITEXACT)
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
    const frame = lib.Frame.fromAudioBuffer(Buffer.from(samples.buffer, samples.byteOffset, samples.byteLength), {
      nbSamples: samples.length,
      format: constants.AV_SAMPLE_FMT_S16,
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

/** A whole Ogg/Opus file of 16 kHz mono samples. Memory is the encoded file, not the samples. */
export const encodeOpus = <R>(samples: Stream.Stream<Int16Array, Failure, R>): Effect.Effect<Uint8Array, Failure, R> =>
  Effect.scoped(
    Effect.gen(function* () {
      const av = yield* ffmpeg
      const folder = yield* Effect.acquireRelease(Effect.tryPromise({ try: () => mkdtemp(join(tmpdir(), "voxbus-opus-")), catch: failed }), (path) =>
        Effect.promise(() => rm(path, { recursive: true, force: true, maxRetries: 3 }))
      )
      const path = join(folder, "recording.opus")
      const encoder = yield* Effect.acquireRelease(Effect.try({ try: () => openEncoder(av, path), catch: failed }), ({ close }) => Effect.sync(close))
      const attempt = (step: () => void) => Effect.andThen(Effect.yieldNow, Effect.try({ try: step, catch: failed }))
      yield* Stream.runForEach(samples, (block) =>
        Effect.forEach(slices(block), (slice) => attempt(() => encoder.write(slice)), { discard: true })
      )
      yield* attempt(encoder.finish)
      return yield* Effect.tryPromise({ try: () => readFile(path), catch: failed })
    })
  )

const slices = (block: Int16Array): ReadonlyArray<Int16Array> =>
  Array.from({ length: Math.ceil(block.length / SLICE) }, (_, index) => block.subarray(index * SLICE, (index + 1) * SLICE))
