/**
 * PDF, A4, with page numbers. The font is embedded (DejaVu Sans: Latin, Greek, Cyrillic, Arabic, Hebrew and more), so it
 * looks the same everywhere; Chinese, Japanese and Korean are not in it, use DOCX for them.
 *
 * pdfkit is loaded when a PDF is made. Its dates and ids are taken from the transcript, so the same one gives the same bytes.
 */
import { createRequire } from "node:module"
import { dirname, join } from "node:path"
import type { Transcript } from "../../../contract/Events.ts"
import type { Exporter } from "./Exporter.ts"
import { clock, factsOf, gapsOf } from "./Header.ts"
import { paragraphs } from "./Paragraphs.ts"

/** Points. */
const MARGIN = 64
const TIME_WIDTH = 56
const GREY = "#6b7280"
const INK = "#111827"
const AMBER = "#92400e"

const fontFile = (name: string) =>
  join(dirname(createRequire(import.meta.url).resolve("dejavu-fonts-ttf/package.json")), "ttf", `${name}.ttf`)

type Document = PDFKit.PDFDocument

const header = (doc: Document, transcript: Transcript) => {
  doc.font("bold").fontSize(20).fillColor(INK).text(transcript.title, { lineGap: 2 })
  doc.moveDown(0.6).fontSize(9)
  const left = MARGIN
  for (const [name, value] of factsOf(transcript)) {
    const y = doc.y
    doc.font("regular").fillColor(GREY).text(name, left, y, { width: 70 })
    const after = doc.y
    doc.fillColor(INK).text(value, left + 74, y, { width: doc.page.width - 2 * MARGIN - 74, lineGap: 1.5 })
    doc.y = Math.max(doc.y, after)
  }
  doc.x = left
  const gaps = gapsOf(transcript)
  if (gaps.length > 0) {
    doc.moveDown(0.8).font("bold").fontSize(9).fillColor(AMBER).text("Not in this transcript", left)
    for (const gap of gaps) doc.font("regular").text(gap, left, undefined, { lineGap: 1.5 })
  }
  doc.moveDown(1)
  doc
    .moveTo(left, doc.y)
    .lineTo(doc.page.width - MARGIN, doc.y)
    .lineWidth(0.5)
    .strokeColor("#d1d5db")
    .stroke()
  doc.moveDown(1)
}

const body = (doc: Document, transcript: Transcript) => {
  const left = MARGIN + TIME_WIDTH
  const width = doc.page.width - MARGIN - left
  for (const { start, speaker, text } of paragraphs(transcript.segments)) {
    // Never the time at the foot of one page and the words on the next.
    if (doc.y > doc.page.height - MARGIN - 40) doc.addPage()
    const y = doc.y
    doc
      .font("regular")
      .fontSize(8)
      .fillColor(GREY)
      .text(clock(start), MARGIN, y + 2, { width: TIME_WIDTH - 8, lineBreak: false })
    doc.y = y
    if (speaker !== undefined) doc.font("bold").fontSize(10).fillColor(INK).text(speaker, left, y, { width, lineGap: 1 })
    doc.font("regular").fontSize(10).fillColor(INK).text(text, left, doc.y, { width, lineGap: 3 })
    doc.moveDown(0.7)
  }
}

const footer = (doc: Document, transcript: Transcript) => {
  const { start, count } = doc.bufferedPageRange()
  for (let page = start; page < start + count; page += 1) {
    doc.switchToPage(page)
    // Text below the margin would start a new page.
    doc.page.margins.bottom = 0
    const y = doc.page.height - MARGIN / 2 - 8
    const width = doc.page.width - 2 * MARGIN
    doc.font("regular").fontSize(8).fillColor(GREY)
    doc.text(transcript.title, MARGIN, y, { width: width * 0.75, height: 10, ellipsis: true, lineBreak: false })
    doc.text(`${page - start + 1} / ${count}`, MARGIN, y, { width, align: "right", lineBreak: false })
  }
}

export const pdf: Exporter = {
  format: "pdf",
  extension: "pdf",
  mediaType: "application/pdf",
  means: "PDF for printing and filing, fonts embedded",
  render: async (transcript) => {
    const { default: PDFDocument } = await import("pdfkit")
    const at = new Date(transcript.startedAt)
    const doc = new PDFDocument({
      size: "A4",
      margin: MARGIN,
      bufferPages: true,
      lang: transcript.language,
      info: { Title: transcript.title, Creator: "Voxbus", Producer: "Voxbus", CreationDate: at, ModDate: at }
    })
    const parts: Array<Uint8Array> = []
    doc.on("data", (part: Uint8Array) => parts.push(part))
    const ended = new Promise<void>((resolve, reject) => doc.once("end", resolve).once("error", reject))
    doc.registerFont("regular", fontFile("DejaVuSans"))
    doc.registerFont("bold", fontFile("DejaVuSans-Bold"))
    header(doc, transcript)
    body(doc, transcript)
    footer(doc, transcript)
    doc.end()
    await ended
    return new Uint8Array(Buffer.concat(parts))
  }
}
