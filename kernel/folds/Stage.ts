/**
 * How far a call is, from its events alone: the states that a person sees. Pure; given the events up to any moment it
 * says what was true then. Of a conversation `TurnState.ts` does.
 */
import type { Event } from "../../contract/Events.ts"

export type CallStage = "IDLE" | "INITIALIZING" | "RECORDING" | "NORMALIZING" | "TRANSCRIBING" | "BUNDLING" | "COMPLETED" | "ERROR"

const has = (events: ReadonlyArray<Event>, ...tags: ReadonlyArray<Event["_tag"]>): boolean => events.some(({ _tag }) => tags.includes(_tag))

/** Failures that end a call; a chunk that could not be transcribed is a gap in it. */
const ENDING = ["capture", "normalizer", "bundler"]

/** Of a call. A failure counts until the work went on after it (a retry of a dead letter). */
export const callStage = (events: ReadonlyArray<Event>): CallStage => {
  const failed = events.findLastIndex(
    (event) => event._tag === "job.failed" || (event._tag === "error.raised" && ENDING.includes(event.actor))
  )
  if (failed >= 0 && !has(events.slice(failed + 1), "audio.captured", "audio.completed", "bundle.ready")) return "ERROR"
  const newest = Math.max(0, ...events.flatMap((event) => (event._tag === "transcript.completed" ? [event.version] : [])))
  const bundled = events.some((event) => event._tag === "bundle.ready" && event.version === newest)
  const asked = events.some((event) => event._tag === "transcript.requested" && event.version > newest)
  if (newest > 0) return asked ? "TRANSCRIBING" : bundled ? "COMPLETED" : "BUNDLING"
  if (has(events, "audio.normalized", "audio.completed")) return "TRANSCRIBING"
  if (has(events, "session.closed", "audio.captured")) return "NORMALIZING"
  if (has(events, "session.opened")) return "RECORDING"
  return events.length === 0 ? "IDLE" : "INITIALIZING"
}
