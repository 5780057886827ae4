/**
 * A format a transcript can be written in. A new one is a file beside this with one `Exporter`, and a line in
 * `registry.ts`; a user's own is a module in `$VOXBUS_HOME/exporters` (see `Own.ts`).
 */
import type { Transcript } from "../../../contract/Events.ts"
import type { SubtitleOptions } from "../../../contract/TranscriptCommands.ts"

export type Rendered = string | Uint8Array<ArrayBuffer>

export interface Exporter<Result = Rendered | Promise<Rendered>> {
  /** What a person asks for. */
  readonly format: string
  /** Of the file, without the dot. */
  readonly extension: string
  readonly mediaType: string
  /** For a list of formats. */
  readonly means: string
  /** Pure: the same transcript gives the same bytes. */
  readonly render: (transcript: Transcript, subtitles?: SubtitleOptions) => Result
}

/** Quick enough to be written with every call. */
export type PlainExporter = Exporter<Rendered>
