/**
 * The way out to one client: messages in order, audio cut into frames, and an end for a client that does not read.
 *
 * A write never waits, so a slow client cannot hold up the log; what it has not read piles up in this process, and past
 * the bound the socket is closed with 1013 ("try again later").
 */
import * as Effect from "effect/Effect"
import { CloseEvent, type SocketError, type Writer } from "effect/socket/Socket"
import type { Bytes } from "../kernel/Bus.ts"
import { AUDIO_FRAME_BYTES, type ServerMessage } from "./Protocol.ts"

/** Bytes that may wait for one client. */
const MAX_WAITING_BYTES = 4 * 1024 * 1024
const TRY_AGAIN_LATER = 1013

export interface Outbox<M = ServerMessage> {
  readonly send: (message: M) => Effect.Effect<void>
  /** The message, and right behind it the samples in binary frames. */
  readonly speak: (message: M, pcm: Bytes) => Effect.Effect<void>
}

const frames = (pcm: Bytes): Array<Bytes> =>
  Array.from({ length: Math.ceil(pcm.length / AUDIO_FRAME_BYTES) }, (_, index) =>
    pcm.subarray(index * AUDIO_FRAME_BYTES, (index + 1) * AUDIO_FRAME_BYTES)
  )

/**
 * @param writer of the socket
 * @param waiting bytes handed to the socket that the client has not taken yet
 */
export const makeOutbox = <M = ServerMessage>(writer: Writer, waiting: () => number): Outbox<M> => {
  let closed = false
  const write = (message: M, binary: ReadonlyArray<Bytes>): Effect.Effect<void> =>
    Effect.suspend((): Effect.Effect<void, SocketError> => {
      if (closed) return Effect.void
      if (waiting() <= MAX_WAITING_BYTES) return writer.writeAll([JSON.stringify(message), ...binary])
      closed = true
      return Effect.logWarning("a client reads too slowly; its socket is closed").pipe(
        Effect.andThen(writer.write(new CloseEvent(TRY_AGAIN_LATER, "The client reads too slowly. Connect again.")))
      )
      // A socket that is closed while we write is noticed by its reader.
    }).pipe(Effect.ignore)
  return { send: (message) => write(message, []), speak: (message, pcm) => write(message, frames(pcm)) }
}
