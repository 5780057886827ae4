/**
 * A table for spreadsheets (RFC 4180, UTF-8 with a mark so that Excel sees it): one row a segment, seconds with a point.
 * A cell that a spreadsheet would run as a formula begins with an apostrophe.
 */
import type { PlainExporter } from "./Exporter.ts"
import { seconds } from "./Seconds.ts"

const cell = (text: string): string => {
  const safe = /^[=+\-@\t\r]/.test(text) ? `'${text}` : text
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe
}

export const csv: PlainExporter = {
  format: "csv",
  extension: "csv",
  mediaType: "text/csv; charset=utf-8",
  means: "A table: number, start, end, speaker, text",
  render: ({ segments }) =>
    `\uFEFF${["number,start,end,speaker,text", ...segments.map(({ start, end, speaker, text }, index) => `${index + 1},${seconds(start)},${seconds(end)},${cell(speaker ?? "")},${cell(text)}`)].join("\r\n")}\r\n`
}
