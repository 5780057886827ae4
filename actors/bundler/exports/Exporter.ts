/**
 * A format a transcript can be written in. A new one is a file beside this with one `Exporter`, and a line in
 * `registry.ts`.
 */
import type { Transcript } from "../../../contract/Events.ts"

export interface Exporter {
  /** What a person asks for. */
  readonly format: string
  /** Of the file, without the dot. */
  readonly extension: string
  readonly mediaType: string
  /** Pure: the same transcript gives the same bytes. */
  readonly render: (transcript: Transcript) => string | Uint8Array<ArrayBuffer>
}
