/**
 * Which files an import takes: files that are named whatever they are called, and of folders those with an extension of
 * audio or video. Hidden files and links are left out, so that no link leads out of a folder or in a circle.
 */
import * as Effect from "effect/Effect"
import { readdir, stat } from "node:fs/promises"
import { basename, extname, isAbsolute, join } from "node:path"
import { describe, systemCode, Terminal } from "../../kernel/Failure.ts"

const EXTENSIONS = new Set(
  "wav w64 aiff aif au caf flac ogg oga opus mp3 m4a m4b aac mp4 mov mka mkv webm amr ac3 eac3 wma asf wv ape tta dsf avi ts mpg mpeg flv".split(
    " "
  )
)

/** Whether a file in a folder is one to take, by its name. */
export const isMedia = (path: string): boolean => !basename(path).startsWith(".") && EXTENSIONS.has(extname(path).slice(1).toLowerCase())

const within = async (folder: string, recursive: boolean): Promise<ReadonlyArray<string>> => {
  const found: Array<string> = []
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name)
    if (entry.isFile() && isMedia(path)) found.push(path)
    else if (recursive && entry.isDirectory() && !entry.name.startsWith(".")) found.push(...(await within(path, true)))
  }
  return found
}

/** The files of one path, sorted. Fails with `input.missing` when it is not there, `input.invalid` when it is neither. */
export const scan = Effect.fnUntraced(function* (path: string, recursive: boolean): Effect.fn.Return<ReadonlyArray<string>, Terminal> {
  if (!isAbsolute(path)) return yield* new Terminal({ code: "input.invalid", message: `${path} is not an absolute path.` })
  const found = yield* Effect.tryPromise({
    try: async () => {
      const kind = await stat(path)
      return kind.isDirectory() ? (await within(path, recursive)).toSorted() : kind.isFile() ? [path] : undefined
    },
    catch: (cause) =>
      new Terminal({
        code: "input.missing",
        message: systemCode(cause) === "ENOENT" ? `${path} does not exist.` : `${path} cannot be read: ${describe(cause)}`,
        cause
      })
  })
  if (found === undefined) return yield* new Terminal({ code: "input.invalid", message: `${path} is neither a file nor a folder.` })
  return found
})
