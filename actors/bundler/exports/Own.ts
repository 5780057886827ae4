/**
 * Exporters of the user: every `.mjs`, `.js` and `.ts` in `$VOXBUS_HOME/exporters`, read again whenever it changed. It runs
 * as part of Voxbus, with its rights; a broken one is left out with a warning and does not stop the others.
 *
 * @example
 * // ~/.voxbus/exporters/words.mjs: gets what `transcribe --json` prints
 * export default {
 *   format: "words", extension: "txt", mediaType: "text/plain", means: "One word a line",
 *   render: (transcript) => transcript.segments.flatMap((s) => s.words.map((w) => w.word.trim())).join("\n")
 * }
 */
import * as Effect from "effect/Effect"
import { readdir, stat } from "node:fs/promises"
import { join } from "node:path"
import { pathToFileURL } from "node:url"
import { describe, systemCode } from "../../../kernel/Failure.ts"
import type { Exporter, Rendered } from "./Exporter.ts"
import { transcriptJson } from "./Json.ts"

const NAME = /^[a-z0-9][a-z0-9_.-]{0,31}$/i

const isText = (value: unknown): value is string => typeof value === "string" && value !== ""

type Render = (transcript: ReturnType<typeof transcriptJson>) => unknown
const isRender = (value: unknown): value is Render => typeof value === "function"

const rendered = async (made: unknown): Promise<Rendered> => {
  const value = await made
  if (typeof value === "string") return value
  if (value instanceof Uint8Array) return new Uint8Array(value)
  throw new Error("it must return text or bytes")
}

/** The default export of a module as an exporter; throws what is wrong with it. */
const exporterOf = (exported: unknown): Exporter => {
  if (typeof exported !== "object" || exported === null) throw new Error("it has no default export")
  const { format, extension, mediaType, means, render } = exported as Readonly<Record<string, unknown>>
  if (!isText(format) || !NAME.test(format)) throw new Error("`format` must be a short name")
  if (!isText(extension) || !NAME.test(extension)) throw new Error("`extension` must be a file ending without the dot")
  if (!isRender(render)) throw new Error("`render` must be a function")
  return {
    format,
    extension,
    mediaType: isText(mediaType) ? mediaType : "application/octet-stream",
    means: isText(means) ? means : "Your own",
    render: (transcript) => rendered(render(transcriptJson(transcript)))
  }
}

/** What is in the folder now; nothing when there is none. */
export const ownExporters = Effect.fnUntraced(function* (folder: string) {
  const names = yield* Effect.promise(() =>
    readdir(folder).catch((cause: unknown) => {
      if (systemCode(cause) === "ENOENT") return []
      throw cause
    })
  )
  const found = yield* Effect.forEach(names.filter((name) => /\.(mjs|js|ts)$/.test(name)).toSorted(), (name) =>
    Effect.tryPromise({
      try: async () => {
        const path = join(folder, name)
        const { mtimeMs } = await stat(path)
        const module = (await import(`${pathToFileURL(path).href}?${mtimeMs}`)) as { readonly default?: unknown }
        return [exporterOf(module.default)]
      },
      catch: (cause) => cause
    }).pipe(
      Effect.catch((cause) =>
        Effect.logWarning("an exporter of your own cannot be used").pipe(
          Effect.annotateLogs({ file: name, reason: describe(cause) }),
          Effect.as<ReadonlyArray<Exporter>>([])
        )
      )
    )
  )
  return found.flat()
})
