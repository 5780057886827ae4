/** `voxbus ask (FILE | --text T)`: one turn of the assistant from a recorded or a typed question. */
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { mkdirSync, writeFileSync } from "node:fs"
import { dirname, join, resolve } from "node:path"
import { wavBytes } from "../../kernel/media/Wav.ts"
import { describe, Terminal } from "../../kernel/Failure.ts"
import { ERRORS } from "../../contract/Errors.ts"
import { Settings } from "../../kernel/Settings.ts"
import { reach } from "../Access.ts"
import { ensureModel } from "../EnsureModel.ts"
import { failureText, jsonFlag, note, printJson, printLine } from "../Output.ts"
import { TURN_ACTORS } from "../Registry.ts"
import { sessionConfig, sessionFlags } from "../SessionFlags.ts"
import { runTurn, type TurnLatency, type TurnResult } from "../Turn.ts"

/** The stages of a turn as a table. */
export const latencyTable = (latency: TurnLatency): string =>
  Object.entries(latency)
    .map(([stage, ms]) => `  ${stage.padEnd(14)} ${ms.toFixed(0).padStart(6)} ms`)
    .join("\n")

/** Writes the answer's audio; nothing when the assistant said nothing. */
export const writeAnswer = (path: string, turn: TurnResult): Effect.Effect<string, Terminal> =>
  turn.pcm.length === 0
    ? Effect.succeed("")
    : Effect.try({
        try: () => {
          mkdirSync(dirname(path), { recursive: true })
          writeFileSync(path, wavBytes(turn.pcm, turn.sampleRate, 1))
          return path
        },
        catch: (cause) => new Terminal({ code: "bundle.unwritable", message: `${path} cannot be written: ${describe(cause)}`, cause })
      })

/** What `ask --json` prints. */
export const turnJson = (turn: TurnResult, audio: string) => ({
  session: turn.session,
  transcript: turn.transcript,
  reply: turn.reply,
  ...(turn.rejected === undefined ? {} : { rejected: turn.rejected }),
  ...(turn.problem === undefined ? {} : { problem: { ...turn.problem, fix: ERRORS[turn.problem.code].fix } }),
  audio,
  latencyMs: turn.latencyMs
})

export const ask = Command.make(
  "ask",
  {
    file: Argument.String("file").pipe(Argument.withDescription("A recorded question, any common audio format"), Argument.optional),
    text: Flag.String("text").pipe(Flag.withAlias("t"), Flag.withDescription("A typed question instead"), Flag.optional),
    output: Flag.String("output").pipe(Flag.withAlias("o"), Flag.withDescription("Where to write the spoken answer (WAV)"), Flag.optional),
    ...sessionFlags,
    json: jsonFlag
  },
  Effect.fn(function* (options) {
    if (Option.isSome(options.file) === Option.isSome(options.text)) {
      return yield* new Terminal({ code: "command.usage", message: "Give either a file or --text." })
    }
    const settings = yield* Settings
    const config = yield* sessionConfig(options)
    yield* ensureModel(config)
    const services = yield* reach(TURN_ACTORS)
    const question = Option.isSome(options.text)
      ? { text: options.text.value }
      : { path: resolve(Option.getOrElse(options.file, () => "")) }
    const turn = yield* runTurn({ config, ...question }, () => Effect.void).pipe(Effect.provide(services))
    const path = Option.match(options.output, {
      onSome: (given) => resolve(given),
      onNone: () => join(settings.outputFolder, "answers", `${turn.session}.wav`)
    })
    const audio = yield* writeAnswer(path, turn)
    // Without a voice the answer is still an answer.
    if (turn.problem?.stage === "answer") process.exitCode = ERRORS[turn.problem.code].exit
    if (options.json) return yield* printJson(turnJson(turn, audio))
    if (turn.problem !== undefined) yield* note(failureText(new Terminal(turn.problem)))
    yield* printLine(
      turn.rejected === undefined
        ? `you:   ${turn.transcript}\nreply: ${turn.reply}\n${audio === "" ? "" : `audio: ${audio}\n`}${latencyTable(turn.latencyMs)}`
        : `I did not hear any words (${turn.rejected}).`
    )
  }, Effect.scoped)
).pipe(
  Command.withDescription("Ask the assistant one question and get a spoken answer"),
  Command.withExamples([
    { command: "voxbus ask question.wav", description: "Speak to it from a file" },
    { command: 'voxbus ask --text "What is the capital of France?" -o answer.wav', description: "Type to it, keep the answer's audio" }
  ])
)
