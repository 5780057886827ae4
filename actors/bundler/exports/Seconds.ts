/**
 * The one place where samples become time for people. Everything inside Voxbus counts samples at 16 kHz; exports have
 * milliseconds, rounded once, from the start of the recording.
 */
import { TIMELINE_RATE } from "../../../contract/Events.ts"

/** Whole milliseconds. */
export const milliseconds = (samples: number): number => Math.round((samples * 1000) / TIMELINE_RATE)

/** Seconds with millisecond precision. */
export const seconds = (samples: number): number => milliseconds(samples) / 1000
