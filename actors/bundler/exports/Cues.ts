/**
 * Segments as subtitles: lines of text with times in milliseconds that never overlap, never run backwards and last at
 * least 1 ms, whatever rounding does. SRT and WebVTT differ only in how they write them.
 *
 * A segment that does not fit the limits (an edited one, or the reader wants shorter lines) is cut again; one that is too
 * short to be read stands longer, as far as the next one leaves room.
 */
import { TIMELINE_RATE, type Segment, type Transcript } from "../../../contract/Events.ts"
import type { SubtitleOptions } from "../../../contract/TranscriptCommands.ts"
import { cut, LIMITS } from "../Cut.ts"
import { type Limits, wrapLines } from "../Lines.ts"
import { milliseconds } from "./Seconds.ts"

export interface Cue {
  /** Milliseconds; `end` is exclusive. */
  readonly start: number
  readonly end: number
  readonly lines: ReadonlyArray<string>
  readonly speaker?: string
}

const limitsOf = ({ lineLength, lines, maxSeconds }: SubtitleOptions): Limits => ({
  lineLength: lineLength ?? LIMITS.lineLength,
  lines: lines ?? LIMITS.lines,
  longest: maxSeconds === undefined ? LIMITS.longest : Math.round(maxSeconds * TIMELINE_RATE)
})

const fitting = (segment: Segment, limits: Limits): ReadonlyArray<Segment> =>
  segment.end - segment.start <= limits.longest && wrapLines(segment.text, limits.lineLength).length <= limits.lines
    ? [segment]
    : cut(segment, segment.start, segment.end, limits)

/** Milliseconds a text should stand: as asked for at least, and as long as it takes to read it; never too long. */
const wantedMs = ({ text }: Segment, { minSeconds, charactersPerSecond }: SubtitleOptions, limits: Limits): number =>
  Math.min(
    milliseconds(limits.longest),
    Math.max((minSeconds ?? 0) * 1000, charactersPerSecond === undefined ? 0 : (text.length / charactersPerSecond) * 1000)
  )

export const cuesOf = (transcript: Transcript, subtitles: SubtitleOptions = {}): ReadonlyArray<Cue> => {
  const limits = limitsOf(subtitles)
  const segments = transcript.segments.flatMap((segment) => fitting(segment, limits))
  let cursor = 0
  return segments.map((segment, index) => {
    const start = Math.max(milliseconds(segment.start), cursor)
    const next = segments[index + 1]
    const room = next === undefined ? Infinity : milliseconds(next.start)
    const stands = Math.min(Math.ceil(start + wantedMs(segment, subtitles, limits)), room)
    const end = Math.max(milliseconds(segment.end), stands, start + 1)
    cursor = end
    return {
      start,
      end,
      lines: wrapLines(segment.text, limits.lineLength),
      ...(segment.speaker === undefined ? {} : { speaker: segment.speaker })
    }
  })
}

/** `01:02:03.456`, with the decimal mark of the format. */
export const timecode = (ms: number, mark: "," | "."): string => {
  const pad = (value: number, width = 2) => String(value).padStart(width, "0")
  const whole = Math.floor(ms / 1000)
  return `${pad(Math.floor(whole / 3600))}:${pad(Math.floor(whole / 60) % 60)}:${pad(whole % 60)}${mark}${pad(ms % 1000, 3)}`
}
