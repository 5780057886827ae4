/** Every format a transcript is written in, in the order people see them. */
import { csv } from "./Csv.ts"
import { docx } from "./Docx.ts"
import type { Exporter, PlainExporter } from "./Exporter.ts"
import { json } from "./Json.ts"
import { markdown } from "./Markdown.ts"
import { pdf } from "./Pdf.ts"
import { srt } from "./Srt.ts"
import { txt } from "./Txt.ts"
import { verboseJson } from "./VerboseJson.ts"
import { vtt } from "./Vtt.ts"

/** Those that are in the output folder and the bundle of every call. */
export const EXPORTERS: ReadonlyArray<PlainExporter> = [txt, srt, vtt, json]

/** All that can be asked for. */
export const FORMATS: ReadonlyArray<Exporter> = [...EXPORTERS, verboseJson, csv, markdown, pdf, docx]
