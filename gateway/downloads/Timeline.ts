/**
 * The audio of a session on its own timeline: 16 kHz mono WAV made of the chunks in the store, so that second `s` of it is
 * what a transcript calls second `s`. There as soon as a chunk is, and whether or not files were written.
 */
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import { type EventOf, TIMELINE_RATE } from "../../contract/Events.ts"
import type { Mode, SessionId } from "../../contract/Session.ts"
import { Blobs } from "../../kernel/Blobs.ts"
import { type Failure, Terminal } from "../../kernel/Failure.ts"
import { history } from "../../kernel/History.ts"
import { wavBytes } from "../../kernel/Media.ts"
import { cut, type Download, type Range } from "./Range.ts"

const BYTES = 2
/** Bytes of a WAV header. */
const HEAD = 44
/** Silence made at once, bytes. */
const SILENCE = 64 * 1024

type Chunk = EventOf<"audio.normalized">

const headerOf = (size: number): Uint8Array => {
  const head = Buffer.from(wavBytes(new Int16Array(0), TIMELINE_RATE, 1).subarray(0, HEAD))
  // Lengths beyond 4 GiB (37 hours) cannot be said; players then read to the end.
  head.writeUInt32LE(Math.min(0xff_ff_ff_ff, HEAD - 8 + size), 4)
  head.writeUInt32LE(Math.min(0xff_ff_ff_ff, size), 40)
  return head
}

/** Chunks are in order and do not overlap. */
const pieces = (chunks: ReadonlyArray<Chunk>, total: number) => {
  const list: Array<{ readonly start: number; readonly end: number; readonly chunk?: Chunk }> = []
  let position = 0
  for (const chunk of chunks) {
    const [start, end] = [chunk.start * BYTES, chunk.end * BYTES]
    if (start < position) continue
    if (start > position) list.push({ start: position, end: start })
    list.push({ start, end, chunk })
    position = end
  }
  if (position < total) list.push({ start: position, end: total })
  return list
}

const silence = (bytes: number): Stream.Stream<Uint8Array> =>
  Stream.fromIterable(
    (function* () {
      for (let left = bytes; left > 0; left -= SILENCE) yield new Uint8Array(Math.min(left, SILENCE))
    })()
  )

/** Fails with `input.missing` while there is no audio. */
export const timeline = Effect.fnUntraced(function* (mode: Mode, session: SessionId) {
  const blobs = yield* Blobs
  const events = (yield* history(mode, session, ["audio.normalized", "audio.completed"])).map(({ event }) => event)
  const chunks = events
    .filter((event): event is Chunk => event._tag === "audio.normalized" && event.version === undefined)
    .toSorted((a, b) => a.start - b.start)
  const completed = events.find((event) => event._tag === "audio.completed")
  const samples = Math.max(chunks.at(-1)?.end ?? 0, completed?._tag === "audio.completed" ? completed.samples : 0)
  if (samples === 0) return yield* new Terminal({ code: "input.missing", message: `Session ${session} has no audio yet.` })
  const total = samples * BYTES
  const read = ({ start, end }: Range): Stream.Stream<Uint8Array, Failure> => {
    const head = start < HEAD ? Stream.make(headerOf(total).subarray(start, Math.min(HEAD, end))) : Stream.empty
    const [from, to] = [Math.max(0, start - HEAD), end - HEAD]
    const audio = Stream.fromIterable(pieces(chunks, total).filter((piece) => piece.end > from && piece.start < to)).pipe(
      Stream.flatMap((piece): Stream.Stream<Uint8Array, Failure> => {
        const size = piece.end - piece.start
        const within = { start: Math.max(0, from - piece.start), end: Math.min(size, to - piece.start) }
        return cut(piece.chunk === undefined ? silence(size) : blobs.stream({ mode, session }, piece.chunk.audio), within)
      })
    )
    return Stream.concat(head, audio)
  }
  const download: Download = {
    size: HEAD + total,
    mediaType: "audio/wav",
    name: `${session}.wav`,
    etag: `"${session}-${total}"`,
    read
  }
  return download
})
