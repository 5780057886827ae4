/** `voxbus export SESSION --format F`: the transcript as it stands now, as a file. */
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { writeFileSync } from "node:fs"
import { resolve } from "node:path"
import { ListFormats, MakeExport, type SubtitleOptions } from "../../contract/TranscriptCommands.ts"
import { Blobs } from "../../kernel/Blobs.ts"
import { describe, systemCode, Terminal } from "../../kernel/Failure.ts"
import { modeOf } from "../../library/Erase.ts"
import { asker, invoke } from "../Invoke.ts"
import { jsonFlag, printJson, printLine } from "../Output.ts"

const number = (name: string, description: string) => Flag.Finite(name).pipe(Flag.withDescription(description), Flag.optional)

const given = <K extends keyof SubtitleOptions>(key: K, value: Option.Option<number>): SubtitleOptions =>
  Option.isSome(value) ? { [key]: value.value } : {}

const write = (path: string, bytes: Uint8Array, force: boolean) =>
  Effect.try({
    try: () => writeFileSync(path, bytes, { flag: force ? "w" : "wx" }),
    catch: (cause) =>
      systemCode(cause) === "EEXIST"
        ? new Terminal({ code: "file.exists", message: `${path} is there already.` })
        : new Terminal({ code: "bundle.unwritable", message: `${path} cannot be written: ${describe(cause)}`, cause })
  })

const toStdout = (bytes: Uint8Array) => Effect.callback<void>((done) => void process.stdout.write(bytes, () => done(Effect.void)))

export const exportCommand = Command.make(
  "export",
  {
    session: Argument.String("session").pipe(Argument.withDescription("Id of a session, see `voxbus sessions`"), Argument.optional),
    format: Flag.String("format").pipe(
      Flag.withAlias("f"),
      Flag.withDescription("txt, srt, vtt, json, verbose_json, csv, md, pdf, docx, or your own"),
      Flag.optional
    ),
    formats: Flag.Boolean("formats").pipe(Flag.withDescription("List the formats"), Flag.withDefault(false)),
    output: Flag.String("output").pipe(
      Flag.withAlias("o"),
      Flag.withDescription("File to write (the title by default); - for standard output"),
      Flag.optional
    ),
    force: Flag.Boolean("force").pipe(Flag.withDescription("Overwrite the file"), Flag.withDefault(false)),
    original: Flag.Boolean("original").pipe(Flag.withDescription("Without the edits"), Flag.withDefault(false)),
    lineLength: number("line-length", "Subtitles: characters of a line (42)"),
    lines: number("lines", "Subtitles: lines of one (2)"),
    minSeconds: number("min-seconds", "Subtitles: stand at least so long, where there is room"),
    maxSeconds: number("max-seconds", "Subtitles: stand at most so long (7)"),
    cps: number("cps", "Subtitles: characters a second that can be read"),
    json: jsonFlag
  },
  Effect.fn(function* (options) {
    if (options.formats) {
      const { formats } = yield* invoke(ListFormats, {})
      if (options.json) return yield* Effect.forEach(formats, printJson, { discard: true })
      return yield* printLine(
        formats.map(({ format, means, own }) => `${format.padEnd(14)} ${means}${own ? " (your own)" : ""}`).join("\n")
      )
    }
    if (Option.isNone(options.session) || Option.isNone(options.format)) {
      return yield* new Terminal({ code: "command.usage", message: "Give a session and --format; `voxbus export --formats` lists them." })
    }
    const session = options.session.value
    const { ask, services } = yield* asker()
    const made = yield* ask(MakeExport, {
      session,
      format: options.format.value,
      original: options.original,
      subtitles: {
        ...given("lineLength", options.lineLength),
        ...given("lines", options.lines),
        ...given("minSeconds", options.minSeconds),
        ...given("maxSeconds", options.maxSeconds),
        ...given("charactersPerSecond", options.cps)
      }
    })
    const bytes = yield* Effect.gen(function* () {
      const blobs = yield* Blobs
      return yield* blobs.get({ mode: yield* modeOf(session), session }, made.blob)
    }).pipe(Effect.provide(services))
    if (Option.isSome(options.output) && options.output.value === "-") return yield* toStdout(bytes)
    const path = resolve(Option.getOrElse(options.output, () => made.name))
    yield* write(path, bytes, options.force)
    yield* options.json
      ? printJson({ session, format: made.format, mediaType: made.mediaType, file: path, bytes: bytes.length, sha256: made.blob.sha256 })
      : printLine(path)
  }, Effect.scoped)
).pipe(
  Command.withDescription("Write a transcript in any format"),
  Command.withExamples([
    { command: "voxbus export 01JD... --format pdf", description: "A file named after the title" },
    { command: "voxbus export 01JD... -f srt -o call.srt --line-length 32 --cps 17", description: "Subtitles for a small screen" }
  ])
)
