/**
 * DOCX for Word and LibreOffice: title, a table of facts, paragraphs with time and speaker, page numbers. Fonts are those
 * of the reader's machine, so every script works. The docx library is loaded when one is made.
 */
import type * as Docx from "docx"
import type { Transcript } from "../../../contract/Events.ts"
import type { Exporter } from "./Exporter.ts"
import { clock, factsOf, gapsOf } from "./Header.ts"
import { paragraphs } from "./Paragraphs.ts"

const GREY = "6B7280"
const AMBER = "92400E"
/** Twentieths of a point: the column of names, the page's text width is 9026. */
const NAMES = 1500
const VALUES = 7526

const facts = ({ Table, TableCell, TableRow, Paragraph, TextRun, WidthType, BorderStyle }: typeof Docx, transcript: Transcript) => {
  const none = { style: BorderStyle.NONE, size: 0, color: "auto" }
  const borders = { top: none, bottom: none, left: none, right: none, insideHorizontal: none, insideVertical: none }
  const cell = (text: string, width: number, color?: string) =>
    new TableCell({
      width: { size: width, type: WidthType.DXA },
      children: [
        new Paragraph({ spacing: { after: 20 }, children: [new TextRun({ text, size: 18, ...(color === undefined ? {} : { color }) })] })
      ]
    })
  return new Table({
    width: { size: NAMES + VALUES, type: WidthType.DXA },
    columnWidths: [NAMES, VALUES],
    borders,
    rows: factsOf(transcript).map(([name, value]) => new TableRow({ children: [cell(name, NAMES, GREY), cell(value, VALUES)] }))
  })
}

const gaps = ({ Paragraph, TextRun }: typeof Docx, transcript: Transcript) => {
  const missing = gapsOf(transcript)
  const line = (text: string, bold = false) =>
    new Paragraph({ spacing: { before: bold ? 200 : 0 }, children: [new TextRun({ text, bold, size: 18, color: AMBER })] })
  return missing.length === 0 ? [] : [line("Not in this transcript", true), ...missing.map((gap) => line(gap))]
}

const said = ({ Paragraph, TextRun }: typeof Docx, transcript: Transcript) =>
  paragraphs(transcript.segments).flatMap(({ start, speaker, text }) => [
    new Paragraph({
      keepNext: true,
      spacing: { before: 200 },
      children: [
        new TextRun({ text: clock(start), size: 16, color: GREY }),
        ...(speaker === undefined ? [] : [new TextRun({ text: `  ${speaker}`, bold: true, size: 20 })])
      ]
    }),
    new Paragraph({ spacing: { line: 300 }, children: [new TextRun({ text, size: 21 })] })
  ])

/** XML knows no control characters. */
const clean = (transcript: Transcript): Transcript =>
  JSON.parse(JSON.stringify(transcript).replaceAll(/\\u00[01][0-9a-f]/g, "")) as Transcript

export const docx: Exporter = {
  format: "docx",
  extension: "docx",
  mediaType: "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
  means: "Word document",
  render: async (given) => {
    const library = await import("docx")
    const { AlignmentType, Document, Footer, HeadingLevel, Packer, PageNumber, Paragraph, TextRun } = library
    const transcript = clean(given)
    const document = new Document({
      creator: "Voxbus",
      title: transcript.title,
      styles: { default: { document: { run: { font: "Calibri" } } } },
      sections: [
        {
          footers: {
            default: new Footer({
              children: [
                new Paragraph({
                  alignment: AlignmentType.RIGHT,
                  children: [new TextRun({ children: [PageNumber.CURRENT, " / ", PageNumber.TOTAL_PAGES], size: 16, color: GREY })]
                })
              ]
            })
          },
          children: [
            new Paragraph({
              heading: HeadingLevel.TITLE,
              spacing: { after: 200 },
              children: [new TextRun({ text: transcript.title, bold: true, size: 40 })]
            }),
            facts(library, transcript),
            ...gaps(library, transcript),
            ...said(library, transcript)
          ]
        }
      ]
    })
    return new Uint8Array(await Packer.toBuffer(document))
  }
}
