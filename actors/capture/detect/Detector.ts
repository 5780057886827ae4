/**
 * Who uses a microphone, as the operating system tells. One file per system beside this one; macOS and Windows tell it
 * only to native code, so there is none for them.
 */
import type * as Effect from "effect/Effect"
import type * as Stream from "effect/Stream"
import type { Failure } from "../../../kernel/Failure.ts"
import { pulseDetector } from "./pulse.ts"

export interface Detector {
  /** Names of the programs that record from a microphone now; Voxbus itself left out. `undefined`: it cannot be told. */
  readonly users: Effect.Effect<ReadonlyArray<string> | undefined>
  /** Something may have changed. Fails when the system stops telling. */
  readonly changes: Stream.Stream<void, Failure>
}

const DETECTORS: Readonly<Partial<Record<NodeJS.Platform, Detector>>> = { linux: pulseDetector }

export const detectorOf = (platform: NodeJS.Platform): Detector | undefined => DETECTORS[platform]

/** For a person. */
export const UNAVAILABLE = {
  platform: "Not available on this system: it tells who uses a microphone only to native programs.",
  server: "Not available: neither PulseAudio nor PipeWire answers (pactl)."
} as const
