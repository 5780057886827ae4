/**
 * A form with one file, which goes onto the disk while it comes. The limit counts what has come, whatever the headers
 * promised; more ends it at once.
 */
import * as Effect from "effect/Effect"
import type * as HttpServerRequest from "effect/http/HttpServerRequest"
import * as Multipart from "effect/http/Multipart"
import * as Stream from "effect/Stream"
import { open } from "node:fs/promises"
import { describe, type Failure, systemCode, Terminal } from "../../kernel/Failure.ts"

/** Parts of a form, and bytes of each text field. */
const MAX_PARTS = 64
const MAX_FIELD_BYTES = 64 * 1024
/** Form and file together: the limit of the file, and room for the fields. */
export const FORM_BYTES = 2 * 1024 * 1024

export interface Form {
  /** The part `file`, if there was one: its bytes, and its name as the client wrote it. */
  readonly file: { readonly bytes: number; readonly name: string } | undefined
  /** Every value of a text field. */
  readonly fields: ReadonlyMap<string, ReadonlyArray<string>>
}

export const invalid = (message: string, cause?: unknown) =>
  new Terminal({ code: "input.invalid", message, ...(cause === undefined ? {} : { cause }) })

export const tooLarge = (maxBytes: number) =>
  new Terminal({
    code: "request.too_large",
    message: `The file has more than ${Math.floor(maxBytes / 1_000_000)} MB (gateway.uploadMegabytes).`
  })

export const onDisk = <A>(work: () => Promise<A>) =>
  Effect.tryPromise({
    try: work,
    catch: (cause) =>
      systemCode(cause) === "ENOSPC"
        ? new Terminal({ code: "disk.full", message: "There is no room for the file." })
        : new Terminal({ code: "internal", message: `The file cannot be stored: ${describe(cause)}`, cause })
  })

export const isForm = ({ headers }: Pick<HttpServerRequest.HttpServerRequest, "headers">): boolean =>
  /^multipart\/form-data\b/i.test(headers["content-type"] ?? "")

/** Writes what comes into a new file, up to the limit; returns how many bytes came. */
export const write = <E, R>(content: Stream.Stream<Uint8Array, E, R>, path: string, maxBytes: number, unreadable: (cause: E) => Terminal) =>
  Effect.gen(function* () {
    const file = yield* Effect.acquireRelease(
      onDisk(() => open(path, "wx", 0o600)),
      (handle) => Effect.promise(() => handle.close().catch(() => undefined))
    )
    let bytes = 0
    yield* content.pipe(
      Stream.mapError(unreadable),
      Stream.runForEach((part) => {
        bytes += part.length
        return bytes > maxBytes ? Effect.fail(tooLarge(maxBytes)) : Effect.asVoid(onDisk(() => file.writeFile(part)))
      })
    )
    return bytes
  }).pipe(Effect.scoped)

const refusal =
  (maxBytes: number) =>
  (cause: Multipart.MultipartError): Terminal => {
    const { _tag } = cause.reason
    if (_tag === "FileTooLarge" || _tag === "BodyTooLarge") return tooLarge(maxBytes)
    if (_tag === "FieldTooLarge" || _tag === "TooManyParts")
      return new Terminal({
        code: "request.too_large",
        message: `The form has more than ${MAX_PARTS} parts, or a field over ${MAX_FIELD_BYTES} bytes.`
      })
    return invalid("The body is not a form that can be read, or it ended too early.", cause)
  }

/**
 * Reads the form; a second file is refused rather than lost.
 *
 * @param path where the file goes; must not exist
 */
export const receiveForm = Effect.fnUntraced(function* (
  request: HttpServerRequest.HttpServerRequest,
  path: string,
  maxBytes: number
): Effect.fn.Return<Form, Failure> {
  const fields = new Map<string, ReadonlyArray<string>>()
  let file: Form["file"]
  const refused = refusal(maxBytes)
  yield* request.multipartStream.pipe(
    Stream.mapError(refused),
    Stream.runForEach((part): Effect.Effect<void, Failure> => {
      if (part._tag === "Field") return Effect.sync(() => void fields.set(part.key, [...(fields.get(part.key) ?? []), part.value]))
      if (file !== undefined) return Effect.fail(invalid("One file at a time; send another request for the next."))
      return write(part.content, path, maxBytes, refused).pipe(Effect.map((bytes) => void (file = { bytes, name: part.name })))
    }),
    Effect.provide(
      Multipart.limitsServices({
        maxParts: MAX_PARTS,
        maxFieldSize: MAX_FIELD_BYTES,
        maxFileSize: maxBytes,
        maxTotalSize: maxBytes + FORM_BYTES
      })
    )
  )
  return { file, fields }
})
