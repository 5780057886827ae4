/** Markdown for notes and wikis: the facts as a list, then paragraphs with their times. What is markup in the words is escaped. */
import type { PlainExporter } from "./Exporter.ts"
import { clock, factsOf, gapsOf } from "./Header.ts"
import { paragraphs } from "./Paragraphs.ts"

const escape = (text: string): string => text.replaceAll(/[\\`*_{}[\]<>#|~&]/g, "\\$&").replaceAll(/^(\d+)([.)])(?=\s)/g, "$1\\$2")

export const markdown: PlainExporter = {
  format: "md",
  extension: "md",
  mediaType: "text/markdown; charset=utf-8",
  means: "Markdown with a header, times and speakers",
  render: (transcript) => {
    const gaps = gapsOf(transcript)
    const said = paragraphs(transcript.segments).map(
      ({ start, speaker, text }) => `**${clock(start)}${speaker === undefined ? "" : ` ${escape(speaker)}`}**\n${escape(text)}`
    )
    return [
      `# ${escape(transcript.title)}`,
      factsOf(transcript)
        .map(([name, value]) => `- ${name}: ${escape(value)}`)
        .join("\n"),
      ...(gaps.length === 0 ? [] : ["## Not in this transcript", gaps.map((gap) => `- ${escape(gap)}`).join("\n")]),
      "## Transcript",
      ...said,
      ""
    ].join("\n\n")
  }
}
