/**
 * WebVTT, what browsers show. `&`, `<` and `>` are escaped: the text of a cue is markup (and `-->` would end it).
 */
import { cuesOf, timecode } from "./Cues.ts"
import type { PlainExporter } from "./Exporter.ts"

const escape = (text: string): string => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;")

export const vtt: PlainExporter = {
  format: "vtt",
  extension: "vtt",
  mediaType: "text/vtt; charset=utf-8",
  means: "WebVTT subtitles, what browsers show",
  render: (transcript, subtitles) =>
    [
      "WEBVTT\n",
      ...cuesOf(transcript, subtitles).map(({ start, end, lines, speaker }) => {
        const voice = speaker === undefined ? "" : `<v ${escape(speaker.replace(/\s+/g, " "))}>`
        return `${timecode(start, ".")} --> ${timecode(end, ".")}\n${voice}${escape(lines.join("\n"))}\n`
      })
    ].join("\n")
}
