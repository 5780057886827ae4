/**
 * A body with one file, onto the disk while it comes: `multipart/form-data`, or the bytes of the file themselves. More
 * than the limit ends it at once, whatever the headers promised. What it is is read from its first bytes, not its name.
 */
import * as Effect from "effect/Effect"
import type * as HttpServerRequest from "effect/http/HttpServerRequest"
import type { FileTypeResult } from "file-type"
import { mkdir, rename } from "node:fs/promises"
import { basename, extname, join } from "node:path"
import { type Failure, Terminal } from "../../kernel/Failure.ts"
import { FORM_BYTES, invalid, isForm, onDisk, receiveForm, tooLarge, write } from "./Form.ts"

export interface Received {
  /** Absolute. Its folder holds nothing else. */
  readonly path: string
  readonly bytes: number
  readonly mediaType: string
  /** As the client called it, made harmless; without its ending. */
  readonly name: string
  readonly fields: Readonly<Record<string, string>>
}

/** A name that is a name and nothing else: no folders, no control characters, nothing hidden. */
export const safeName = (given: string): string => {
  const last = basename(given.replaceAll("\\", "/"))
  const plain = last
    .normalize("NFC")
    .replaceAll(/[\p{Cc}\p{Cf}\p{Cs}<>:"/|?*]+/gu, " ")
    .replaceAll(/\s+/g, " ")
    .trim()
    .replaceAll(/^\.+|\.+$/g, "")
  const stem = plain.slice(0, plain.length - extname(plain).length)
  // Bytes, not characters: file systems allow 255.
  return Buffer.from(stem).subarray(0, 120).toString("utf8").replaceAll("\uFFFD", "").trim() || "recording"
}

/** Containers that hold audio although their media type does not say so. */
const ALSO = ["application/ogg", "application/mp4", "application/vnd.ms-asf", "application/mxf"]

const isMedia = ({ mime }: FileTypeResult) => /^(audio|video)\//.test(mime) || ALSO.includes(mime)

interface Taken {
  readonly bytes: number
  readonly name: string
  readonly fields: Readonly<Record<string, string>>
}

/** Of a field that comes twice the last value counts. */
const fromForm = Effect.fnUntraced(function* (request: HttpServerRequest.HttpServerRequest, path: string, maxBytes: number) {
  const { file, fields } = yield* receiveForm(request, path, maxBytes)
  if (file === undefined) return yield* invalid('The form has no file; send it as the part "file".')
  const taken: Taken = { ...file, fields: Object.fromEntries([...fields].map(([name, values]) => [name, values.at(-1) ?? ""])) }
  return taken
})

const fromBody = (request: HttpServerRequest.HttpServerRequest, path: string, maxBytes: number, name: string) =>
  write(request.stream, path, maxBytes, (cause) => invalid("The body ended too early.", cause)).pipe(
    Effect.map((bytes): Taken => ({ bytes, name, fields: {} }))
  )

/**
 * Receives one media file into a folder of its own. When it fails, the caller removes the folder.
 *
 * @param folder made for it; must not exist
 * @param named what a bare body is called
 */
export const receive = Effect.fnUntraced(function* (
  request: HttpServerRequest.HttpServerRequest,
  { folder, maxBytes, named }: { readonly folder: string; readonly maxBytes: number; readonly named: string }
): Effect.fn.Return<Received, Failure> {
  const promised = Number(request.headers["content-length"] ?? 0)
  if (promised > maxBytes + FORM_BYTES) return yield* tooLarge(maxBytes)
  yield* onDisk(() => mkdir(folder, { recursive: true, mode: 0o700 }))
  const draft = join(folder, ".part")
  const { bytes, name, fields } = yield* isForm(request) ? fromForm(request, draft, maxBytes) : fromBody(request, draft, maxBytes, named)
  if (bytes === 0) return yield* new Terminal({ code: "audio.empty", message: "The file is empty." })
  // Loaded with the first upload: the start does not wait for it.
  const kind = yield* Effect.promise(async () => (await import("file-type")).fileTypeFromFile(draft).catch(() => undefined))
  if (kind === undefined || !isMedia(kind))
    return yield* new Terminal({
      code: "audio.unreadable",
      message: kind === undefined ? "The file is no audio or video format that is known." : `The file is ${kind.mime}, not audio or video.`
    })
  const plain = safeName(name)
  const path = join(folder, `${plain}.${kind.ext}`)
  yield* onDisk(() => rename(draft, path))
  return { path, bytes, mediaType: kind.mime, name: plain, fields }
})
