/** The facts that stand above a transcript in the formats for reading. */
import type { Transcript } from "../../../contract/Events.ts"
import { timecode } from "./Cues.ts"
import { milliseconds } from "./Seconds.ts"

/** `0:07` or `1:02:03`, for people. */
export const clock = (samples: number): string => {
  const [hours = "00", minutes = "00", seconds = "00"] = timecode(milliseconds(samples), ".").slice(0, -4).split(":")
  return hours === "00" ? `${Number(minutes)}:${seconds}` : `${Number(hours)}:${minutes}:${seconds}`
}

/** Date and time as they stand in an ISO time, in its own zone. */
const dateOf = (at: string): string => `${at.slice(0, 10)} ${at.slice(11, 16)}${at.endsWith("Z") ? " UTC" : at.slice(-6)}`

/** Name and value, in the order they are read. */
export const factsOf = (transcript: Transcript): ReadonlyArray<readonly [name: string, value: string]> => {
  const { ticket, startedAt, samples, language, coverage, engine, model, session, segments } = transcript
  const speakers = [...new Set(segments.flatMap(({ speaker }) => (speaker === undefined ? [] : [speaker])))]
  return [
    ["Date", dateOf(startedAt)],
    ...(ticket === undefined ? [] : [["Ticket", ticket] as const]),
    ["Length", clock(samples)],
    ...(speakers.length === 0 ? [] : [["Speakers", speakers.join(", ")] as const]),
    ["Language", language],
    ["Coverage", `${(100 * coverage.ratio).toFixed(1)} % of the speech was transcribed`],
    ["Engine", `${engine}, ${model}`],
    ["Session", session]
  ]
}

/** What is missing, and why, in words; empty when nothing is. */
export const gapsOf = (transcript: Transcript): ReadonlyArray<string> => [
  ...transcript.coverage.gaps.map(({ start, end, reason }) => `${clock(start)} - ${clock(end)}: not transcribed (${reason})`),
  ...(transcript.truncated === true ? ["The recording was damaged or cut short; there may have been more."] : []),
  ...(transcript.emptyReason === undefined ? [] : [transcript.emptyReason])
]
