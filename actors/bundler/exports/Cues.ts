/**
 * Segments as subtitles: lines of text with times in milliseconds that never overlap, never run backwards and last at
 * least 1 ms, whatever rounding does. SRT and WebVTT differ only in how they write them.
 */
import type { Transcript } from "../../../contract/Events.ts"
import { wrapLines } from "../Lines.ts"
import { milliseconds } from "./Seconds.ts"

export interface Cue {
  /** Milliseconds; `end` is exclusive. */
  readonly start: number
  readonly end: number
  readonly lines: ReadonlyArray<string>
  readonly speaker?: string
}

export const cuesOf = (transcript: Transcript): ReadonlyArray<Cue> => {
  let cursor = 0
  return transcript.segments.map((segment) => {
    const start = Math.max(milliseconds(segment.start), cursor)
    const end = Math.max(milliseconds(segment.end), start + 1)
    cursor = end
    return { start, end, lines: wrapLines(segment.text), ...(segment.speaker === undefined ? {} : { speaker: segment.speaker }) }
  })
}

/** `01:02:03.456`, with the decimal mark of the format. */
export const timecode = (ms: number, mark: "," | "."): string => {
  const pad = (value: number, width = 2) => String(value).padStart(width, "0")
  const whole = Math.floor(ms / 1000)
  return `${pad(Math.floor(whole / 3600))}:${pad(Math.floor(whole / 60) % 60)}:${pad(whole % 60)}${mark}${pad(ms % 1000, 3)}`
}
