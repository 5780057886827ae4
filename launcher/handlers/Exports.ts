/** Exports: the transcript as it stands now in any format, the user's own included. */
import * as Effect from "effect/Effect"
import { join } from "node:path"
import type { Exporter } from "../../actors/bundler/exports/Exporter.ts"
import { ownExporters } from "../../actors/bundler/exports/Own.ts"
import { FORMATS } from "../../actors/bundler/exports/registry.ts"
import { ListFormats, MakeExport } from "../../contract/TranscriptCommands.ts"
import { Blobs } from "../../kernel/Blobs.ts"
import { handler } from "../../kernel/Commands.ts"
import { describe, Terminal } from "../../kernel/Failure.ts"
import { Settings } from "../../kernel/Settings.ts"
import { currentTranscript } from "../../kernel/Transcripts.ts"
import { modeOf } from "../../library/Erase.ts"

/** Ours first: a user's exporter does not replace one of them. */
const available = Effect.gen(function* () {
  const { home } = yield* Settings
  const ours = new Set(FORMATS.map(({ format }) => format))
  const own = (yield* ownExporters(join(home, "exporters"))).filter(({ format }) => !ours.has(format))
  return [...FORMATS.map((exporter) => ({ exporter, own: false })), ...own.map((exporter) => ({ exporter, own: true }))]
})

const formats = handler(ListFormats, () =>
  Effect.map(available, (all) => ({
    formats: all.map(({ exporter: { format, extension, mediaType, means }, own }) => ({ format, extension, mediaType, means, own }))
  }))
)

const find = Effect.fnUntraced(function* (format: string) {
  const all = yield* available
  const found = all.find(({ exporter }) => exporter.format === format.toLowerCase() || exporter.format === format)
  if (found !== undefined) return found.exporter
  return yield* new Terminal({
    code: "export.unknown",
    message: `There is no format ${JSON.stringify(format)}. There are: ${all.map(({ exporter }) => exporter.format).join(", ")}.`
  })
})

/** A title as a file name that every system takes. */
const fileName = (title: string, session: string, { extension }: Exporter): string => {
  const plain = title
    .replaceAll(/[\p{Cc}<>:"/\\|?*]+/gu, " ")
    .replaceAll(/\s+/g, " ")
    .trim()
    .replaceAll(/^\.+|\.+$/g, "")
    .slice(0, 80)
    .trim()
  return `${plain === "" ? session : plain}.${extension}`
}

const make = handler(MakeExport, ({ session, format, subtitles, original: asItWas }) =>
  Effect.gen(function* () {
    const blobs = yield* Blobs
    const exporter = yield* find(format)
    const mode = yield* modeOf(session)
    const { transcript, original } = yield* currentTranscript(mode, session)
    const rendered = yield* Effect.tryPromise({
      try: async () => exporter.render(asItWas === true ? original : transcript, subtitles),
      catch: (cause) =>
        new Terminal({ code: "export.failed", message: `The exporter ${exporter.format} failed: ${describe(cause)}`, cause })
    })
    const bytes = typeof rendered === "string" ? new TextEncoder().encode(rendered) : rendered
    return {
      session,
      format: exporter.format,
      mediaType: exporter.mediaType,
      name: fileName(transcript.title, session, exporter),
      blob: yield* blobs.put({ mode, session }, bytes, exporter.mediaType)
    }
  })
)

export const exportHandlers = [formats, make]
