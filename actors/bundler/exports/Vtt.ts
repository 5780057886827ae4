/**
 * WebVTT, what browsers show. `&`, `<` and `>` are escaped: the text of a cue is markup (and `-->` would end it).
 */
import { cuesOf, timecode } from "./Cues.ts"
import type { Exporter } from "./Exporter.ts"

const escape = (text: string): string => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;")

export const vtt: Exporter = {
  format: "vtt",
  extension: "vtt",
  mediaType: "text/vtt; charset=utf-8",
  render: (transcript) =>
    [
      "WEBVTT\n",
      ...cuesOf(transcript).map(({ start, end, lines, speaker }) => {
        const voice = speaker === undefined ? "" : `<v ${escape(speaker.replace(/\s+/g, " "))}>`
        return `${timecode(start, ".")} --> ${timecode(end, ".")}\n${voice}${escape(lines.join("\n"))}\n`
      })
    ].join("\n")
}
