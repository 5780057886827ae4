/**
 * Audio in and out of files: anything that can be decoded becomes 16 kHz mono `s16`, the timeline all of Voxbus works
 * on; the timeline becomes Opus or WAV.
 *
 * 16 kHz mono PCM (raw, or in a WAV file) is passed on as it is. Everything else goes through FFmpeg, block by block:
 * memory stays flat for a recording of any length, and the event loop gets its turn after every quarter of a second of audio.
 */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import { unlink } from "node:fs/promises"
import { TIMELINE_RATE } from "../contract/Events.ts"
import { type Failure, Terminal } from "./Failure.ts"
import { decodeFile, type Decoding, type MediaInfo } from "./media/Decode.ts"
import { ffmpeg } from "./media/Ffmpeg.ts"
import { isRate, joined, makeResampler } from "./media/Resampler.ts"
import { existing, type ReadAt, reader, spool, type Spooled, toFile } from "./media/Spool.ts"
import { parseWav, wavBytes, wavExtent } from "./media/Wav.ts"

export { type MediaInfo } from "./media/Decode.ts"
export { joined } from "./media/Resampler.ts"
export { encodeAudio, encodeOpus, encodeStream, type StreamedFormat } from "./media/Encode.ts"
export { type EncoderOptions } from "./media/Encoder.ts"
export { streamedWavHeader, wavBytes, type WavWriter, wavWriter } from "./media/Wav.ts"

export type MediaInput<R = never> =
  | { readonly kind: "bytes"; readonly chunks: Stream.Stream<Uint8Array, Failure, R> }
  | { readonly kind: "file"; readonly path: string }

/** A recording on the timeline. */
export interface Timeline {
  /** Of the source. */
  readonly info: MediaInfo
  /** 16 kHz mono in blocks, once. Fails with `audio.empty` or `audio.unreadable` when there is not one sample. */
  readonly samples: Stream.Stream<Int16Array, Failure>
  /** After the end of `samples`: the source was cut short or damaged, and what could be decoded is there. */
  readonly truncated: Effect.Effect<boolean>
}

const HEAD = 64 * 1024
/** Samples of a block of PCM: 0.26 s. */
const BLOCK = 4_096

/** There is not one sample. */
export const noSamples = new Terminal({
  code: "audio.empty",
  message: "The audio holds no samples."
})

/**
 * Decodes a file or a stream of its bytes.
 *
 * @returns what the source is, and its samples; the scope holds the decoder and the temporary file
 */
export const decodeToTimeline = Effect.fnUntraced(function* <R = never>(
  input: MediaInput<R>
): Effect.fn.Return<Timeline, Failure, R | Scope.Scope> {
  const source = input.kind === "file" ? yield* existing(input.path) : yield* spool(input.chunks)
  if (source.size === 0) return yield* noSamples
  const readAt = yield* reader(source)
  const wav = parseWav(yield* readAt(0, HEAD))
  if (wav === undefined) return fromFfmpeg(yield* decodeSpooled(source, false), false)
  const end = wav.dataOffset + wav.declared + (wav.declared % 2)
  const extent = wavExtent(wav, source.size, end < source.size ? yield* readAt(end, 8) : new Uint8Array())
  if (extent.bytes < 2) return yield* noSamples
  if (!wav.pcm16 || wav.sampleRate !== TIMELINE_RATE || wav.channels !== 1) {
    return fromFfmpeg(yield* decodeSpooled(source, extent.lies), extent.truncated)
  }
  return {
    info: { codec: "pcm_s16le", sampleRate: wav.sampleRate, channels: 1 },
    samples: pcmBlocks(readAt, wav.dataOffset, extent.bytes - (extent.bytes % 2)),
    truncated: Effect.succeed(extent.truncated)
  }
})

/** Left and right of a recording of two channels, interleaved, at 16 kHz: for telling apart who speaks on which. */
export const decodeStereo = Effect.fnUntraced(function* <R = never>(
  input: MediaInput<R>
): Effect.fn.Return<Stream.Stream<Int16Array, Failure>, Failure, R | Scope.Scope> {
  const source = input.kind === "file" ? yield* existing(input.path) : yield* spool(input.chunks)
  return fromFfmpeg(yield* decodeSpooled(source, false, 2), false).samples
})

/** A moment of 8 kHz silence, which needs every part of FFmpeg that decoding uses. */
const WARMING = wavBytes(new Int16Array(800), 8_000, 1)

/** Loads what decoding needs, so that the first utterance does not pay for it (100-200 ms). */
export const warmUp: Effect.Effect<void, Failure> = Effect.scoped(
  Effect.gen(function* () {
    const { samples } = yield* decodeToTimeline({ kind: "bytes", chunks: Stream.make(WARMING) })
    yield* Stream.runDrain(samples)
  })
)

const decodeSpooled = Effect.fnUntraced(function* (source: Spooled, ignoreLength: boolean, channels: 1 | 2 = 1) {
  const { path, temporary } = yield* toFile(source)
  // A conversation leaves no trace on the disk even when this process is killed. Windows keeps open files; there the scope removes it.
  const opened = temporary && process.platform !== "win32" ? Effect.ignore(Effect.tryPromise(() => unlink(path))) : Effect.void
  return yield* decodeFile(path, { ignoreLength, opened, channels })
})

const fromFfmpeg = (decoding: Decoding, truncated: boolean): Timeline => {
  let any = false
  const block = Effect.gen(function* () {
    yield* Effect.yieldNow
    const samples = decoding.next()
    if (samples !== undefined) {
      any ||= samples.length > 0
      return [samples.length > 0 ? [samples] : [], Option.some(undefined)] as const
    }
    if (any) return [[], Option.none<undefined>()] as const
    if (decoding.errors() === 0) return yield* noSamples
    return yield* new Terminal({
      code: "audio.unreadable",
      message: "The file looks like audio, but nothing in it can be decoded; it may be damaged."
    })
  })
  return {
    info: decoding.info,
    samples: Stream.paginate(undefined, () => block),
    truncated: Effect.sync(() => truncated || decoding.truncated())
  }
}

const pcmBlocks = (readAt: ReadAt, offset: number, bytes: number): Stream.Stream<Int16Array, Failure> =>
  Stream.paginate(0, (at: number) =>
    Effect.gen(function* () {
      yield* Effect.yieldNow
      const chunk = yield* readAt(offset + at, Math.min(BLOCK * 2, bytes - at))
      const next = at + chunk.length
      return [chunk.length < 2 ? [] : [samplesIn(chunk)], chunk.length > 0 && next < bytes ? Option.some(next) : Option.none()] as const
    })
  )

/** The whole samples in little-endian bytes, copied: byte arrays may begin at an odd address. */
const samplesIn = (bytes: Uint8Array): Int16Array => {
  const samples = new Int16Array(Math.floor(bytes.length / 2))
  new Uint8Array(samples.buffer).set(bytes.subarray(0, samples.byteLength))
  return samples
}

/** Raw `s16le` payloads as samples; a sample may be split between two payloads. */
export const pcmSamples = <E, R>(payloads: Stream.Stream<Uint8Array, E, R>): Stream.Stream<Int16Array, E, R> =>
  payloads.pipe(
    Stream.mapAccum(
      () => new Uint8Array(0),
      (held: Uint8Array, payload) => {
        const bytes = held.length === 0 ? payload : Buffer.concat([held, payload])
        const samples = samplesIn(bytes)
        return [bytes.slice(samples.byteLength), samples.length === 0 ? [] : [samples]] as const
      }
    )
  )

/**
 * Interleaved samples of any rate and channel count, as a stream of 16 kHz mono. Blocks may end inside a group of
 * channels.
 */
export const resampleStream =
  (rate: number, channels: number) =>
  <E, R>(self: Stream.Stream<Int16Array, E, R>): Stream.Stream<Int16Array, E | Terminal, R> => {
    if (rate === TIMELINE_RATE && channels === 1) return self
    if (!isRate(rate) || !Number.isInteger(channels) || channels < 1 || channels > 16) {
      return Stream.fail(
        new Terminal({
          code: "input.invalid",
          message: `Raw audio of ${rate} Hz and ${channels} channels cannot be converted. Send 8-192 kHz, 1-16 channels.`
        })
      )
    }
    return Stream.unwrap(
      Effect.gen(function* () {
        const av = yield* ffmpeg
        const resampler = yield* Effect.acquireRelease(
          Effect.sync(() => makeResampler(av)),
          ({ close }) => Effect.sync(close)
        )
        const groups = self.pipe(
          Stream.mapAccum(
            () => new Int16Array(0),
            (held: Int16Array, block) => {
              const all = held.length === 0 ? block : joined([held, block])
              const whole = all.length - (all.length % channels)
              return [all.slice(whole), whole === 0 ? [] : [all.subarray(0, whole)]] as const
            }
          )
        )
        return groups.pipe(
          Stream.map((block) => resampler.pushPcm(block, rate, channels)),
          Stream.concat(Stream.suspend(() => Stream.make(resampler.flush()))),
          Stream.filter((block) => block.length > 0)
        )
      })
    )
  }

/** For audio that comes in pushes and in several formats: mono of each push at one rate; `flush` before the format changes. */
export const pushResamplerTo = Effect.fnUntraced(function* (target: number) {
  const av = yield* ffmpeg
  const resampler = yield* Effect.acquireRelease(
    Effect.sync(() => makeResampler(av, 1, target)),
    ({ close }) => Effect.sync(close)
  )
  return {
    push: (pcm: Int16Array, rate: number, channels: number): Int16Array =>
      rate === target && channels === 1 ? pcm : resampler.pushPcm(pcm, rate, channels),
    flush: resampler.flush
  }
})

/** The same to 16 kHz. */
export const pushResampler = pushResamplerTo(TIMELINE_RATE)

/** A whole recording at once, for utterances. */
export const resample = Effect.fnUntraced(function* (pcm: Int16Array, rate: number, channels: number) {
  if (rate === TIMELINE_RATE && channels === 1) return pcm
  return joined(yield* Stream.runCollect(resampleStream(rate, channels)(Stream.make(pcm))))
})
