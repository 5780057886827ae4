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
import { type EncoderOptions, openEncoder } from "./Encoder.ts"
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

const slices = (block: Int16Array): ReadonlyArray<Int16Array> =>
  Array.from({ length: Math.ceil(block.length / SLICE) }, (_, index) => block.subarray(index * SLICE, (index + 1) * SLICE))
