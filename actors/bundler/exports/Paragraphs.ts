/**
 * Segments as paragraphs, for reading: a new one after a pause of two seconds, when the speaker changes, and at the end of
 * a sentence once it is long.
 */
import { TIMELINE_RATE, type Segment } from "../../../contract/Events.ts"
import { joinTexts } from "../Lines.ts"

/** Samples of silence, and characters, that end a paragraph. */
const PAUSE = 2 * TIMELINE_RATE
const LENGTH = 600

/** Segments of one speaker that are read as one paragraph. */
export interface Paragraph {
  /** Samples. */
  readonly start: number
  readonly end: number
  readonly speaker?: string
  readonly text: string
}

export const paragraphs = (segments: ReadonlyArray<Segment>): ReadonlyArray<Paragraph> => {
  const done: Array<ReadonlyArray<Segment>> = []
  let open: Array<Segment> = []
  let length = 0
  for (const segment of segments) {
    const last = open.at(-1)
    const ends =
      last !== undefined &&
      (segment.start - last.end >= PAUSE ||
        segment.speaker !== last.speaker ||
        (length >= LENGTH && /[.!?…。！？]["'”’)\]]*$/u.test(last.text)))
    if (ends) {
      done.push(open)
      open = []
      length = 0
    }
    open.push(segment)
    length += segment.text.length
  }
  if (open.length > 0) done.push(open)
  return done.map((part) => {
    const speaker = part[0]?.speaker
    return {
      start: part[0]?.start ?? 0,
      end: part.at(-1)?.end ?? 0,
      ...(speaker === undefined ? {} : { speaker }),
      text: joinTexts(part.map(({ text }) => text))
    }
  })
}
