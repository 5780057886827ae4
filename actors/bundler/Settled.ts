/**
 * Which chunks of a call have come to their end, and when it is worth asking the log again.
 *
 * A chunk is settled by `text.transcribed`, by `text.rejected`, or by the transcriber giving up on it (`error.raised`
 * with its unit). Asking costs a read of the whole call, so an answer "not yet" says from which sequence on it can change.
 */
import type { EventOf } from "../../contract/Events.ts"
import type { Logged } from "../../kernel/Actor.ts"
import { lineOf } from "../../kernel/folds/Transcripts.ts"

/** What the log has of the chunks of one call. */
export interface Outcomes {
  readonly transcribed: ReadonlyArray<EventOf<"text.transcribed">>
  readonly rejected: ReadonlyArray<EventOf<"text.rejected">>
  /** Chunks the transcriber gave up on. */
  readonly dead: ReadonlyArray<EventOf<"error.raised">>
}

/** Errors of other actors say nothing about a chunk (and the bundler must not be woken by its own). */
export const givesUpChunk = (event: EventOf<"error.raised">): boolean => event.actor === "transcriber" && event.unit !== undefined

/** What became of the chunks in one line of versions. */
export const outcomesOf = (log: ReadonlyArray<Logged>, line: number): Outcomes => {
  const events = log.map(({ event }) => event)
  return {
    transcribed: events.filter((event) => event._tag === "text.transcribed").filter((event) => lineOf(event) === line),
    rejected: events.filter((event) => event._tag === "text.rejected").filter((event) => lineOf(event) === line),
    dead: events.filter((event) => event._tag === "error.raised").filter((event) => givesUpChunk(event) && lineOf(event) === line)
  }
}

/** Chunks `1..chunks` that have not ended. */
export const unsettled = (chunks: number, outcomes: Outcomes): number => {
  const settled = new Set<number>()
  for (const { unit } of [...outcomes.transcribed, ...outcomes.rejected, ...outcomes.dead]) {
    if (unit !== undefined && unit >= 1 && unit <= chunks) settled.add(unit)
  }
  return chunks - settled.size
}

/**
 * The first sequence at which a call with `remaining` open chunks can be settled: everything at or before the newest
 * event that was seen is counted already, and each further end of a chunk takes a sequence of its own.
 *
 * @param handled Sequence of the event in hand, which the log held before it was read.
 */
export const askAgainAt = (remaining: number, handled: number, seen: ReadonlyArray<Logged>): number =>
  Math.max(handled, seen.at(-1)?.sequence ?? 0) + remaining
