/**
 * The timeline as a compressed file. For what is kept: Ogg/Opus, 24 kbit/s mono, 11 MB an hour, clear speech. The same
 * samples give the same bytes.
 */
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import { mkdtemp, readFile, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { TIMELINE_RATE } from "../../contract/Events.ts"
import { describe, type Failure, Retryable } from "../Failure.ts"
import { type Encoder, type EncoderOptions, openEncoder } from "./Encoder.ts"
import { ffmpeg } from "./Ffmpeg.ts"

const OPUS: EncoderOptions = { container: "ogg", encoder: "libopus", bitsPerSecond: 24_000 }
/** Samples encoded before the event loop gets its turn: 1 s, a few milliseconds of work. */
const SLICE = TIMELINE_RATE

const failed = (cause: unknown) => new Retryable({ code: "engine.failed", message: `The audio encoder failed: ${describe(cause)}`, cause })

/** A whole Ogg/Opus file of 16 kHz mono samples. Memory is the encoded file, not the samples. */
export const encodeOpus = <R>(samples: Stream.Stream<Int16Array, Failure, R>): Effect.Effect<Uint8Array, Failure, R> =>
  encodeAudio(samples, OPUS)

/** The same in another format: what tests make their files with. */
export const encodeAudio = <R>(
  samples: Stream.Stream<Int16Array, Failure, R>,
  options: EncoderOptions
): Effect.Effect<Uint8Array, Failure, R> =>
  Effect.scoped(
    Effect.gen(function* () {
      const av = yield* ffmpeg
      const folder = yield* Effect.acquireRelease(
        Effect.tryPromise({ try: () => mkdtemp(join(tmpdir(), "voxbus-encode-")), catch: failed }),
        (path) => Effect.promise(() => rm(path, { recursive: true, force: true, maxRetries: 3 }))
      )
      const path = join(folder, "audio")
      const encoder = yield* Effect.acquireRelease(Effect.try({ try: () => openEncoder(av, path, options), catch: failed }), ({ close }) =>
        Effect.sync(close)
      )
      const attempt = (step: () => void) => Effect.andThen(Effect.yieldNow, Effect.try({ try: step, catch: failed }))
      yield* Stream.runForEach(samples, (block) =>
        Effect.forEach(slices(block), (slice) => attempt(() => encoder.write(slice)), { discard: true })
      )
      yield* attempt(encoder.finish)
      return yield* Effect.tryPromise({ try: () => readFile(path), catch: failed })
    })
  )

/** Formats that can be sent while they are made, and what they are made with. */
const STREAMED = {
  mp3: { container: "mp3", encoder: "libmp3lame", bitsPerSecond: 64_000 },
  opus: { container: "ogg", encoder: "libopus", bitsPerSecond: 32_000 },
  aac: { container: "adts", encoder: "aac", bitsPerSecond: 64_000 },
  flac: { container: "flac", encoder: "flac", bitsPerSecond: 0 }
} as const satisfies Readonly<Record<string, EncoderOptions>>
export type StreamedFormat = keyof typeof STREAMED

/** Mono samples of a rate, compressed as they come: each block gives the bytes that are ready. */
export const encodeStream =
  (format: StreamedFormat, sampleRate: number) =>
  <R>(samples: Stream.Stream<Int16Array, Failure, R>): Stream.Stream<Uint8Array, Failure, R> =>
    Stream.unwrap(
      Effect.gen(function* () {
        const av = yield* ffmpeg
        let ready: Array<Uint8Array> = []
        const encoder = yield* Effect.acquireRelease(
          Effect.try({
            try: (): Encoder => openEncoder(av, (bytes) => void ready.push(bytes), { ...STREAMED[format], sampleRate }),
            catch: failed
          }),
          ({ close }) => Effect.sync(close)
        )
        const take = (step: () => void) =>
          Effect.andThen(
            Effect.yieldNow,
            Effect.try({
              try: () => {
                step()
                const taken = ready
                ready = []
                return taken
              },
              catch: failed
            })
          )
        return samples.pipe(
          Stream.flatMap((block) => Stream.fromIterable(slices(block))),
          Stream.mapEffect((slice) => take(() => encoder.write(slice))),
          Stream.concat(Stream.fromEffect(take(encoder.finish))),
          Stream.flattenIterable
        )
      })
    )

const slices = (block: Int16Array): ReadonlyArray<Int16Array> =>
  Array.from({ length: Math.ceil(block.length / SLICE) }, (_, index) => block.subarray(index * SLICE, (index + 1) * SLICE))
