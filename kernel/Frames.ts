/**
 * Raw audio frames of a session, as the log has them: `s16le` payloads in order. An actor that reads a recording asks
 * for the range that `audio.captured` names.
 */
import * as Context from "effect/Context"
import type * as Stream from "effect/Stream"
import type { FrameRange } from "../contract/Events.ts"
import type { BlobOwner } from "./Blobs.ts"
import type { Bytes } from "./Bus.ts"
import type { Failure } from "./Failure.ts"

/** A frame of a live recording. */
export interface LiveFrame {
  readonly sequence: number
  readonly data: Bytes
  /** Hertz and channels of `data`. */
  readonly sampleRate: number
  readonly channels: number
  /** Number of its span, from 1, and where that begins on the 16 kHz timeline. */
  readonly span: number
  readonly start: number
  /** Set on the last one, which has no audio. */
  readonly end?: "closed" | "cancelled"
}

export class Frames extends Context.Service<
  Frames,
  {
    readonly read: (owner: BlobOwner, range: FrameRange) => Stream.Stream<Bytes, Failure>
    /** Frames from a sequence on, those that are still to come too, up to and with the one that is marked as the end. */
    readonly follow: (owner: BlobOwner, from?: number) => Stream.Stream<LiveFrame, Failure>
    /** The same as far as they are there now. */
    readonly saved: (owner: BlobOwner, from?: number) => Stream.Stream<LiveFrame, Failure>
  }
>()("voxbus/Frames") {}
