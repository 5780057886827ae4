/** The terminal while it records: keys that steer it, and a meter that shows that something is heard. */
import * as Effect from "effect/Effect"
import * as Queue from "effect/Queue"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import type { RecordingStatusReply } from "../contract/RecordingCommands.ts"
import type { SessionId } from "../contract/Session.ts"
import { levelSubject } from "../contract/Subjects.ts"
import { Bus } from "../kernel/Bus.ts"

export type Key = "pause" | "stop" | "discard" | "undo" | "leave"

const KEYS: Readonly<Record<string, Key>> = { p: "pause", " ": "pause", s: "stop", d: "discard", u: "undo", q: "leave", "\u0003": "leave" }

export const HELP = "p pause or go on · s stop · d discard · u take that back · q leave it recording"

/** Keys as they are pressed; nothing where there is no terminal. The terminal is put back with the scope. */
export const pressed = Effect.fnUntraced(function* (terminal: NodeJS.ReadStream) {
  const queue = yield* Queue.unbounded<Key>()
  if (!terminal.isTTY) return queue
  const onData = (data: Buffer) => {
    for (const letter of data.toString("utf8")) {
      const key = KEYS[letter.toLowerCase()]
      if (key !== undefined) Queue.offerUnsafe(queue, key)
    }
  }
  yield* Effect.acquireRelease(
    Effect.sync(() => {
      terminal.setRawMode(true)
      terminal.on("data", onData)
      terminal.resume()
    }),
    () =>
      Effect.sync(() => {
        terminal.off("data", onData)
        terminal.setRawMode(false)
        terminal.pause()
      })
  )
  return queue
})

const decodeLevel = Schema.decodeUnknownOption(Schema.fromJsonString(Schema.Struct({ peak: Schema.Array(Schema.Finite) })))

/** Quietest that the meter shows, dBFS. */
const FLOOR = -60
const WIDTH = 20

/** A bar for a level in dBFS. */
export const bar = (dbfs: number): string => {
  const full = Math.round(WIDTH * Math.min(1, Math.max(0, 1 - dbfs / FLOOR)))
  return `${"#".repeat(full)}${".".repeat(WIDTH - full)}`
}

/** The loudest channel of the last tenth of a second, dBFS; needs a scope. */
export const loudness = Effect.fnUntraced(function* (session: SessionId) {
  const bus = yield* Bus
  let peak = -Infinity
  const levels = yield* bus.listen(levelSubject(session))
  yield* levels.pipe(
    Stream.runForEach(({ data }) =>
      Effect.sync(() => {
        const level = decodeLevel(new TextDecoder().decode(data))
        if (level._tag === "Some") peak = Math.max(...level.value.peak)
      })
    ),
    Effect.forkScoped
  )
  return () => peak
})

const LIVE: ReadonlyArray<string> = ["INITIALIZING", "RECORDING", "PAUSED", "RECOVERING"]

/** Whether it can still be steered: it records, or can be taken back. */
export const isLive = ({ state, undoUntilMs }: RecordingStatusReply): boolean =>
  LIVE.includes(state) || (state === "STOPPING" && undoUntilMs !== undefined)
