/**
 * Plain text in paragraphs, for reading and pasting: a new one after a pause of two seconds, when the speaker changes,
 * and at the end of a sentence once it is long. Empty when nothing was said.
 */
import { TIMELINE_RATE, type Segment } from "../../../contract/Events.ts"
import { joinTexts } from "../Lines.ts"
import type { Exporter } from "./Exporter.ts"

/** Samples of silence, and characters, that end a paragraph. */
const PAUSE = 2 * TIMELINE_RATE
const LENGTH = 600

const paragraphs = (segments: ReadonlyArray<Segment>): ReadonlyArray<string> => {
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
    return (speaker === undefined ? "" : `${speaker}: `) + joinTexts(part.map(({ text }) => text))
  })
}

export const txt: Exporter = {
  format: "txt",
  extension: "txt",
  mediaType: "text/plain; charset=utf-8",
  render: ({ segments }) =>
    paragraphs(segments)
      .map((paragraph) => `${paragraph}\n`)
      .join("\n")
}
