/**
 * An upload as OpenAI's clients send it: fields, and one file, which stays in a private temporary file while it is worked
 * on. What the file is, its content says: its name is not looked at.
 */
import * as Effect from "effect/Effect"
import type * as HttpServerRequest from "effect/http/HttpServerRequest"
import type * as Scope from "effect/Scope"
import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { type Failure, Terminal } from "../../kernel/Failure.ts"
import { type Form, invalid, isForm, onDisk, receiveForm } from "../uploads/Form.ts"
import { Parameter } from "./Problem.ts"

export interface Upload extends Pick<Form, "fields"> {
  /** Of the temporary file; it goes with the scope. */
  readonly path: string
  readonly bytes: number
}

const temporaryFile: Effect.Effect<string, Failure, Scope.Scope> = Effect.acquireRelease(
  onDisk(() => mkdtemp(join(tmpdir(), "voxbus-upload-"))),
  (folder) => Effect.promise(() => rm(folder, { recursive: true, force: true, maxRetries: 3 }))
).pipe(Effect.map((folder) => join(folder, "audio")))

/** @param limit bytes of the file */
export const receive = Effect.fnUntraced(function* (
  request: HttpServerRequest.HttpServerRequest,
  limit: number
): Effect.fn.Return<Upload, Failure, Scope.Scope> {
  if (!isForm(request)) return yield* invalid("A form is wanted (Content-Type: multipart/form-data).")
  const path = yield* temporaryFile
  const { file, fields } = yield* receiveForm(request, path, limit)
  if (file === undefined) return yield* new Parameter("file", 'The form has no file with the name "file".')
  if (file.bytes === 0) return yield* new Terminal({ code: "audio.empty", message: "The uploaded file is empty." })
  return { path, bytes: file.bytes, fields }
})
