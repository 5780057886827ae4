/** `voxbus edit SESSION`: correct a transcript; every edit is an event and can be undone. */
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type { Change } from "../../contract/Events.ts"
import { EditHistory, EditTranscript, GetTranscript, RedoEdit, UndoEdit } from "../../contract/TranscriptCommands.ts"
import { Terminal } from "../../kernel/Failure.ts"
import { type Asker, asker } from "../Invoke.ts"
import { clock, jsonFlag, note, printJson, printLine } from "../Output.ts"
import { sessionArgument } from "../SessionArgument.ts"

const changeText = (change: Change): string => {
  switch (change.kind) {
    case "text":
      return `segment ${change.segment}: "${change.before}" -> "${change.after}"`
    case "speaker":
      return `segment ${change.segment}: said by "${change.before}" -> "${change.after}"`
    case "rename":
      return `speaker "${change.before}" -> "${change.after}"`
    default:
      return `${change.kind} of edit ${change.revision}`
  }
}

const flag = (name: string, description: string) => Flag.String(name).pipe(Flag.withDescription(description), Flag.optional)

interface Options {
  readonly session: string
  readonly segment: Option.Option<number>
  readonly text: Option.Option<string>
  readonly speaker: Option.Option<string>
  readonly rename: Option.Option<string>
  readonly to: Option.Option<string>
}

/** What the flags ask for; nothing: to see the segments. */
const wanted = ({ segment, text, speaker, rename, to }: Options) => {
  if (Option.isSome(rename) && Option.isSome(to)) return { rename: rename.value, to: to.value }
  if (Option.isSome(segment) && Option.isSome(text)) return { segment: segment.value, text: text.value }
  if (Option.isSome(segment) && Option.isSome(speaker)) return { segment: segment.value, speaker: speaker.value }
  return undefined
}

const isHalf = (options: Options): boolean =>
  [options.segment, options.text, options.speaker, options.rename, options.to].some((each) => Option.isSome<unknown>(each))

const segments = Effect.fnUntraced(function* ({ ask }: Asker, session: string, json: boolean) {
  for (let from = 1; ;) {
    const page = yield* ask(GetTranscript, { session, from })
    yield* Effect.forEach(
      page.segments,
      (each) =>
        json
          ? printJson(each)
          : printLine(
              `${String(each.number).padStart(5)}  ${clock(each.start)}  ${each.speaker === undefined ? "" : `${each.speaker}: `}${each.text}${each.edited ? "  (edited)" : ""}`
            ),
      { discard: true }
    )
    from += page.segments.length
    if (page.segments.length === 0 || from > page.total) return
  }
})

export const edit = Command.make(
  "edit",
  {
    session: sessionArgument,
    segment: Flag.Int("segment").pipe(Flag.withAlias("s"), Flag.withDescription("Number of the segment"), Flag.optional),
    text: flag("text", "Its new text; empty takes it out"),
    speaker: flag("speaker", "Who said it; empty: unknown"),
    rename: flag("rename", "Name of a speaker to change everywhere, with --to"),
    to: flag("to", "The new name"),
    undo: Flag.Boolean("undo").pipe(Flag.withDescription("Take back the last edit"), Flag.withDefault(false)),
    redo: Flag.Boolean("redo").pipe(Flag.withDescription("Do again what was undone last"), Flag.withDefault(false)),
    history: Flag.Boolean("history").pipe(Flag.withDescription("All edits: who, when, before and after"), Flag.withDefault(false)),
    json: jsonFlag
  },
  Effect.fn(function* (options) {
    const { session, json } = options
    const change = wanted(options)
    if (change === undefined && isHalf(options)) {
      return yield* new Terminal({
        code: "command.usage",
        message: "Give --segment with --text or --speaker, or --rename with --to."
      })
    }
    const asking = yield* asker()
    if (options.history) {
      const { edits } = yield* asking.ask(EditHistory, { session })
      if (json) return yield* Effect.forEach(edits, printJson, { discard: true })
      if (edits.length === 0) return yield* note("There are no edits.")
      const line = (each: (typeof edits)[number]) =>
        `${String(each.revision).padStart(4)}  ${each.at}  ${each.by}  ${changeText(each.change)}${each.stands || "revision" in each.change ? "" : "  (undone)"}`
      return yield* printLine(edits.map(line).join("\n"))
    }
    if (change === undefined && !options.undo && !options.redo) return yield* segments(asking, session, json)
    const done =
      change !== undefined
        ? yield* asking.ask(EditTranscript, { session, edit: change })
        : yield* asking.ask(options.undo ? UndoEdit : RedoEdit, { session })
    yield* json ? printJson(done) : printLine(`edit ${done.revision}: ${changeText(done.change)}`)
  }, Effect.scoped)
).pipe(
  Command.withDescription("See and correct the segments of a transcript; the original stays"),
  Command.withExamples([
    { command: "voxbus edit 01JD...", description: "The segments with their numbers" },
    { command: 'voxbus edit 01JD... --segment 3 --text "The printer on the third floor."', description: "Correct one" },
    { command: 'voxbus edit 01JD... --rename "Speaker 1" --to Ann', description: "Name a speaker everywhere" },
    { command: "voxbus edit 01JD... --undo", description: "Take the last edit back" }
  ])
)
