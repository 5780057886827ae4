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

export class Frames extends Context.Service<
  Frames,
  {
    readonly read: (owner: BlobOwner, range: FrameRange) => Stream.Stream<Bytes, Failure>
  }
>()("voxbus/Frames") {}
