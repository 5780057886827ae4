/**
 * SubRip: numbered subtitles, comma before the milliseconds. The format has no escapes, so an arrow inside the words
 * (which some players take for a time line) is written as one character.
 */
import { cuesOf, timecode } from "./Cues.ts"
import type { PlainExporter } from "./Exporter.ts"

export const srt: PlainExporter = {
  format: "srt",
  extension: "srt",
  mediaType: "application/x-subrip",
  means: "SubRip subtitles",
  render: (transcript, subtitles) =>
    cuesOf(transcript, subtitles)
      .map(({ start, end, lines, speaker }, index) => {
        const text = lines.join("\n").replaceAll("-->", "→")
        return `${index + 1}\n${timecode(start, ",")} --> ${timecode(end, ",")}\n${speaker === undefined ? "" : `${speaker}: `}${text}\n`
      })
      .join("\n")
}
