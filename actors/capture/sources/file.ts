/** A file played at its own speed, as if somebody were speaking: for tests and demonstrations. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import { existsSync } from "node:fs"
import { basename, isAbsolute } from "node:path"
import { TIMELINE_RATE } from "../../../contract/Events.ts"
import type { Bytes } from "../../../kernel/Bus.ts"
import { Terminal } from "../../../kernel/Failure.ts"
import { decodeToTimeline } from "../../../kernel/Media.ts"
import { type Source, streamed } from "./Source.ts"

/** Samples given out at once: 50 ms. */
const PIECE = TIMELINE_RATE / 20

/** Samples cut into pieces; what is before `skip` is left out. */
const pieces = (skip: number) => {
  let left = skip
  return (block: Int16Array): ReadonlyArray<Int16Array> => {
    const kept = block.subarray(Math.min(left, block.length))
    left -= block.length - kept.length
    return Array.from({ length: Math.ceil(kept.length / PIECE) }, (_, index) => kept.subarray(index * PIECE, (index + 1) * PIECE))
  }
}

export const fileSource = (path: string): Source => ({
  name: basename(path),
  continuous: true,
  open: Effect.fnUntraced(function* (recorded: number) {
    if (!isAbsolute(path)) return yield* new Terminal({ code: "input.invalid", message: `${path} is not an absolute path.` })
    if (!existsSync(path)) return yield* new Terminal({ code: "input.missing", message: `${path} does not exist.` })
    const { samples } = yield* decodeToTimeline({ kind: "file", path })
    const began = yield* Clock.currentTimeMillis
    let given = 0
    const chunks = samples.pipe(
      Stream.map(pieces(Math.round(recorded * TIMELINE_RATE))),
      Stream.flattenIterable,
      Stream.mapEffect((piece) =>
        Effect.gen(function* () {
          given += piece.length
          const ahead = began + (given * 1000) / TIMELINE_RATE - (yield* Clock.currentTimeMillis)
          if (ahead > 0) yield* Effect.sleep(ahead)
          const bytes: Bytes = new Uint8Array(piece.buffer, piece.byteOffset, piece.byteLength).slice()
          return bytes
        })
      )
    )
    return { sampleRate: TIMELINE_RATE, channels: 1, feed: streamed(chunks) }
  })
})
