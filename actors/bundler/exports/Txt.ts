/**
 * Plain text in paragraphs, for reading and pasting. Empty when nothing was said.
 */
import type { PlainExporter } from "./Exporter.ts"
import { paragraphs } from "./Paragraphs.ts"

export const txt: PlainExporter = {
  format: "txt",
  extension: "txt",
  mediaType: "text/plain; charset=utf-8",
  means: "Plain text in paragraphs",
  render: ({ segments }) =>
    paragraphs(segments)
      .map(({ speaker, text }) => `${speaker === undefined ? "" : `${speaker}: `}${text}\n`)
      .join("\n")
}
