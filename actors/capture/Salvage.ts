/** What a recorder that is gone left on the log: the spans it had closed, and frames that belong to none yet. */
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import type { EventOf } from "../../contract/Events.ts"
import type { Logged } from "../../kernel/Actor.ts"
import { Frames } from "../../kernel/Frames.ts"
import { onTimeline, type SavedSpan } from "./LiveLog.ts"

export interface Salvaged {
  /** Spans without `audio.captured`. */
  readonly orphans: ReadonlyArray<SavedSpan>
  /** End of what is saved, on the timeline. */
  readonly position: number
  /** Recorded, without the gaps, on the timeline. */
  readonly recorded: number
  /** The same in seconds, not rounded. */
  readonly seconds: number
  readonly spans: number
  /** The end mark is there. */
  readonly ended: boolean
}

const isCaptured = (entry: Logged): entry is Logged<EventOf<"audio.captured">> => entry.event._tag === "audio.captured"

/** @param past the session's `audio.captured` among other events */
export const salvage = Effect.fnUntraced(function* (
  owner: { readonly mode: "call"; readonly session: string },
  past: ReadonlyArray<Logged>
) {
  const frames = yield* Frames
  const captured = past.filter(isCaptured).map(({ event }) => event)
  const last = Math.max(0, ...captured.map(({ audio }) => ("frames" in audio ? audio.frames.last : 0)))
  const found = new Map<number, SavedSpan>()
  let ended = false
  yield* Stream.runForEach(frames.saved(owner, last + 1), ({ sequence, data, span, start, sampleRate, channels, end }) =>
    Effect.sync(() => {
      if (end !== undefined) return void (ended = true)
      const before = found.get(span)
      found.set(span, {
        unit: span,
        start,
        sampleRate,
        channels,
        first: before?.first ?? sequence,
        last: sequence,
        count: (before?.count ?? 0) + 1,
        samples: (before?.samples ?? 0) + Math.floor(data.length / 2 / channels)
      })
    })
  )
  const orphans = [...found.values()]
  const all = [
    ...captured.map(({ unit, start = 0, samples = 0, sampleRate = 1 }) => ({
      unit,
      start,
      length: onTimeline(samples, sampleRate),
      seconds: samples / sampleRate
    })),
    ...orphans.map(({ unit, start, samples, sampleRate }) => ({
      unit,
      start,
      length: onTimeline(samples, sampleRate),
      seconds: samples / sampleRate
    }))
  ]
  const salvaged: Salvaged = {
    orphans,
    position: Math.max(0, ...all.map(({ start, length }) => start + length)),
    recorded: all.reduce((sum, { length }) => sum + length, 0),
    seconds: all.reduce((sum, each) => sum + each.seconds, 0),
    spans: Math.max(0, ...all.map(({ unit }) => unit)),
    ended
  }
  return salvaged
})
