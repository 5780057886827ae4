/** Every format a transcript is written in, in the order people see them. */
import type { Exporter } from "./Exporter.ts"
import { json } from "./Json.ts"
import { srt } from "./Srt.ts"
import { txt } from "./Txt.ts"
import { vtt } from "./Vtt.ts"

export const EXPORTERS: ReadonlyArray<Exporter> = [txt, srt, vtt, json]
