/**
 * Recorded histories: one session a file, as JSON lines. The first line says what it is and what the folds made of it
 * when it was recorded; then the records of the log with their bodies as they were on the bus, byte for byte; then the
 * audio that a replay needs, compressed.
 */
import { readFileSync, writeFileSync } from "node:fs"
import { gunzipSync, gzipSync } from "node:zlib"
import type { Mode, SessionId } from "../../contract/Session.ts"
import type { StreamName } from "../../contract/Subjects.ts"
import type { Recorded } from "../../kernel/Bus.ts"

export interface Head {
  readonly history: 1
  /** Version of Voxbus that recorded it. */
  readonly voxbus: string
  readonly mode: Mode
  readonly session: SessionId
  /** Whether it was made with the test-kit's engines: then a replay is the same to the byte. */
  readonly fixedEngines: boolean
  /** State, text, and the conversation where there is one, as `voxbus show` said then. */
  readonly expected: { readonly state: string; readonly text: string; readonly context?: ReadonlyArray<unknown>; readonly version?: number }
}

export interface History {
  readonly head: Head
  readonly records: ReadonlyArray<Recorded>
  readonly blobs: ReadonlyArray<Uint8Array>
  /** By stream sequence. */
  readonly frames: ReadonlyMap<number, Uint8Array>
}

const packed = (bytes: Uint8Array) => gzipSync(bytes, { level: 9 }).toString("base64")
const unpacked = (text: string) => new Uint8Array(gunzipSync(Buffer.from(text, "base64")))

export const writeHistory = (path: string, { head, records, blobs, frames }: History): void => {
  const lines: ReadonlyArray<unknown> = [
    head,
    ...records.map(({ data, ...record }) => ({ ...record, body: new TextDecoder().decode(data) })),
    ...blobs.map((bytes) => ({ blob: packed(bytes) })),
    ...[...frames].map(([frame, bytes]) => ({ frame, bytes: packed(bytes) }))
  ]
  writeFileSync(path, lines.map((line) => `${JSON.stringify(line)}\n`).join(""))
}

export const readHistory = (path: string): History => {
  const [head, ...rest] = readFileSync(path, "utf8")
    .trimEnd()
    .split("\n")
    .map((line): any => JSON.parse(line))
  return {
    head,
    records: rest
      .filter(({ body }) => body !== undefined)
      .map(({ body, ...record }) => ({ ...record, stream: record.stream satisfies StreamName, data: new TextEncoder().encode(body) })),
    blobs: rest.filter(({ blob }) => blob !== undefined).map(({ blob }) => unpacked(blob)),
    frames: new Map(rest.filter(({ frame }) => frame !== undefined).map(({ frame, bytes }) => [frame, unpacked(bytes)]))
  }
}
