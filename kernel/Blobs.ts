/**
 * Audio and transcripts that are too large for an event: bytes in a stream of their own, addressed by SHA-256 within a
 * session, so that deleting a session deletes them. A blob is written in parts of 512 KiB (NATS allows 1 MiB), each
 * stored once; small ones cost one round trip to write and one to read, which is why this is not the object store.
 */
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type * as Stream from "effect/Stream"
import type { BlobRef } from "../contract/Events.ts"
import type { Mode, SessionId } from "../contract/Session.ts"
import type { Bytes } from "./Bus.ts"
import type { Failure } from "./Failure.ts"

/** Whose blob it is: any event of the session will do. */
export interface BlobOwner {
  readonly mode: Mode
  readonly session: SessionId
}

export class Blobs extends Context.Service<
  Blobs,
  {
    readonly put: (owner: BlobOwner, bytes: Bytes, mediaType: string) => Effect.Effect<BlobRef, Failure>
    /** Reads the file twice: once for its hash, once to store it. Memory stays flat. */
    readonly putFile: (owner: BlobOwner, path: string, mediaType: string) => Effect.Effect<BlobRef, Failure>
    /** The whole blob, checked against its hash. */
    readonly get: (owner: BlobOwner, ref: BlobRef) => Effect.Effect<Bytes, Failure>
    /** In parts, checked against its hash at the end. */
    readonly stream: (owner: BlobOwner, ref: BlobRef) => Stream.Stream<Bytes, Failure>
  }
>()("voxbus/Blobs") {}
