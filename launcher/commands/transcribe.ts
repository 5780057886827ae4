/** `voxbus transcribe FILE...`: each file becomes a call, its transcript and its sealed bundle. */
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { basename, resolve } from "node:path"
import type { Failure } from "../../kernel/Failure.ts"
import { reach } from "../Access.ts"
import { ensureModel } from "../EnsureModel.ts"
import { callJson, type CallResult, progressOf, runCall } from "../Call.ts"
import { clearStatus, clock, fail, failureJson, jsonFlag, note, printJson, printLine, status } from "../Output.ts"
import { CALL_ACTORS } from "../Registry.ts"
import { sessionConfig, sessionFlags } from "../SessionFlags.ts"

const human = (result: CallResult) => {
  const { transcript, bundle } = result
  const json = callJson(result)
  const lines = [
    transcript.text === "" ? `(no words: ${transcript.emptyReason ?? "nothing was said"})` : transcript.text,
    "",
    `  length    ${clock(json.durationSeconds)}   language ${transcript.language}   coverage ${(100 * transcript.coverage.ratio).toFixed(1)} %`,
    ...(transcript.truncated === true ? ["  warning   the file is damaged or cut short; this is what could be decoded"] : []),
    ...json.coverage.gaps.map((gap) => `  gap       ${clock(gap.start)} - ${clock(gap.end)}: ${gap.reason}`),
    `  engine    ${transcript.engine}, ${transcript.model}`,
    `  folder    ${bundle.folder}`,
    `  bundle    ${bundle.bundle} (check it with: npx voxbus verify ${json.bundle})`
  ]
  return lines.join("\n")
}

export const transcribe = Command.make(
  "transcribe",
  {
    files: Argument.String("file").pipe(
      Argument.withDescription("Audio or video files of any common format"),
      Argument.variadic({ min: 1 })
    ),
    title: Flag.String("title").pipe(Flag.withDescription("Title; the file's name by default"), Flag.optional),
    ticket: Flag.String("ticket").pipe(Flag.withDescription("Ticket or case id: letters, digits, - and _"), Flag.optional),
    ...sessionFlags,
    json: jsonFlag
  },
  Effect.fn(function* (options) {
    const config = yield* sessionConfig(options)
    yield* ensureModel(config)
    const services = yield* reach(CALL_ACTORS)
    yield* Effect.forEach(options.files, (file) => {
      let progress = { settled: 0, chunks: 0 }
      const name = basename(file)
      return runCall(
        {
          path: resolve(file),
          config,
          ...(Option.isSome(options.title) ? { title: options.title.value } : {}),
          ...(Option.isSome(options.ticket) ? { ticket: options.ticket.value } : {})
        },
        ({ event }) => {
          progress = progressOf(progress, event)
          return status(`${name}: ${progress.settled}${progress.chunks === 0 ? "" : ` of ${progress.chunks}`} parts transcribed`)
        }
      ).pipe(
        Effect.tap(clearStatus),
        Effect.flatMap((result) => (options.json ? printJson(callJson(result)) : printLine(human(result)))),
        // One bad file among several does not stop the others; the exit code tells.
        Effect.catch((failure: Failure) =>
          clearStatus.pipe(
            Effect.andThen(
              options.json
                ? Effect.andThen(printJson({ file: name, ...failureJson(failure) }), fail(failure))
                : options.files.length > 1
                  ? Effect.andThen(note(`${name}:`), fail(failure))
                  : fail(failure)
            )
          )
        ),
        Effect.provide(services)
      )
    })
  }, Effect.scoped)
).pipe(
  Command.withDescription("Transcribe audio files into text, subtitles and a sealed bundle"),
  Command.withExamples([
    { command: "voxbus transcribe call.mp3", description: "Print the transcript; write the output folder" },
    { command: "voxbus transcribe *.wav --json | jq .text", description: "One JSON object per file" },
    {
      command: "voxbus transcribe call.m4a --model whisper-tiny.en --ticket T-42",
      description: "The fast English model, filed under a ticket"
    }
  ])
)
