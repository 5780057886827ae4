/**
 * The only import of node-av (FFmpeg in this process, prebuilt). Loading it takes 80-180 ms and ~40 MB, so it happens
 * on first use; 16 kHz mono PCM never needs it.
 *
 * The low-level calls are used because decoding one packet is 20-50 us of work: the synchronous variants cost nothing
 * around that, while a promise per packet doubles it. Callers return to the event loop after every block of samples.
 */
import * as Effect from "effect/Effect"
import type * as Constants from "node-av/constants"
import type * as Lib from "node-av/lib"
import { describe, Terminal } from "../Failure.ts"

export interface Ffmpeg {
  readonly lib: typeof Lib
  readonly constants: typeof Constants
}

let loading: Promise<Ffmpeg> | undefined

const load = async (): Promise<Ffmpeg> => {
  const [lib, constants] = await Promise.all([import("node-av/lib"), import("node-av/constants")])
  // FFmpeg writes straight to stderr, past our log; what matters comes back as error codes.
  lib.Log.setLevel(constants.AV_LOG_QUIET)
  return { lib, constants }
}

/** Fails with `engine.unavailable` where node-av has no build for the platform. */
export const ffmpeg: Effect.Effect<Ffmpeg, Terminal> = Effect.tryPromise({
  try: () => (loading ??= load()),
  catch: (cause) =>
    new Terminal({
      code: "engine.unavailable",
      message: `The audio library (node-av) cannot be loaded on this machine: ${describe(cause)}. Run npm install again; WAV files of 16 kHz mono work without it.`,
      cause
    })
})

/** FFmpeg's words for an error code. */
export const reason = ({ lib }: Ffmpeg, code: number): string => lib.FFmpegError.strerror(code)
