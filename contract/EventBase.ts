/** What the bodies of events are made of: positions, numbers, references to blobs and frames. */
import * as Schema from "effect/Schema"
import { Mode, SessionId } from "./Session.ts"

/** Hertz of the absolute timeline. */
export const TIMELINE_RATE = 16_000

export const Samples = Schema.Int.check(Schema.isGreaterThanOrEqualTo(0))
export const Count = Schema.Int.check(Schema.isGreaterThanOrEqualTo(0))
export const Ratio = Schema.Finite.check(Schema.isBetween({ minimum: 0, maximum: 1 }))
export const Sha256 = Schema.String.check(Schema.isPattern(/^[0-9a-f]{64}$/))
/** Number of a chunk (call) or of a turn (assistant), from 1. */
export const Unit = Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 999_999 }))

/** Bytes in the blob store, of the same mode and session as the event that names them. */
export const BlobRef = Schema.Struct({ sha256: Sha256, bytes: Count, mediaType: Schema.String })
export type BlobRef = typeof BlobRef.Type

/** Frames `first`..`last` (stream sequences, inclusive) of the session's frames subject. */
export const FrameRange = Schema.Struct({ first: Count, last: Count, count: Count })
export type FrameRange = typeof FrameRange.Type

/** Of a job in the queue. */
export const Priority = Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 9 }))

export const base = { v: Schema.Literal(1), mode: Mode, session: SessionId } as const
/** Which version of the transcript this belongs to; absent: the first. */
export const ofVersion = { version: Schema.optionalKey(Unit) } as const
export const span = { start: Samples, end: Samples } as const

export const Source = Schema.Struct({
  kind: Schema.Literals(["file", "browser", "stdin", "text", "device", "stream"]),
  /** File name without its folder, or the name of the device: structure, shown to people. */
  name: Schema.String
})
