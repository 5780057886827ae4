/** `voxbus replay SESSION`: the recorded inputs through today's actors, and what is different. */
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { ReplaySession, type ReplayReport, STAGES } from "../../contract/HistoryCommands.ts"
import { renderChanges } from "../../kernel/text/WordDiff.ts"
import { asker } from "../Invoke.ts"
import { clearStatus, jsonFlag, printJson, printLine, status } from "../Output.ts"
import { checkedSession } from "../SessionArgument.ts"

/** A replay takes about as long as the work did. */
const PATIENCE_MS = 6 * 3_600_000

const human = (report: ReplayReport, colour: boolean): string => {
  const { events, errors } = report
  const texts = report.texts.flatMap(({ what, number, changes, added, removed, same }) => [
    `${what} ${number}: ${same} words the same, ${added} added, ${removed} removed`,
    ...(added + removed === 0 ? [] : [renderChanges(changes, colour), ""])
  ])
  const ms = (value: number) => `${value.toFixed(0)} ms`.padStart(10)
  return [
    ...texts,
    "",
    `stage        events   recorded        now   computed before and now`,
    ...report.timings.map(
      ({ stage, events: count, recorded, replayed }) =>
        `${stage.padEnd(11)} ${String(count).padStart(7)} ${ms(recorded.ms)} ${ms(replayed.ms)} ${ms(recorded.computeMs)} ${ms(replayed.computeMs)}`
    ),
    "",
    ...(report.cutTurns.length === 0 ? [] : [`turns that were cut short, taken from the log: ${report.cutTurns.join(", ")}`]),
    ...(errors.replayed.length === 0 ? [] : [`failures now: ${errors.replayed.join(", ")}`]),
    report.identical
      ? `identical: all ${events.recorded} events, to the byte`
      : report.equivalent
        ? `the same: ${events.identical} events to the byte, ${events.upgraded} but for settings that are newer than the recording`
        : `${events.identical} of ${events.recorded} events identical; ${events.replayed} now. First differences:\n${report.differences
            .slice(0, 10)
            .map(({ kind, subject }) => `  ${kind.padEnd(8)} ${subject}`)
            .join("\n")}`
  ].join("\n")
}

export const replay = Command.make(
  "replay",
  {
    session: Argument.String("session").pipe(Argument.withDescription("Id of the session")),
    fromStage: Flag.Literals("from-stage", STAGES).pipe(
      Flag.withDescription("First stage to work again; what comes before is taken from the log"),
      Flag.optional
    ),
    engine: Flag.String("engine").pipe(Flag.withDescription("Another engine for the first replayed stage that has one"), Flag.optional),
    model: Flag.String("model").pipe(Flag.withDescription("Another model (or voice) for it"), Flag.optional),
    json: jsonFlag
  },
  Effect.fn(function* ({ session, fromStage, engine, model, json }) {
    const { ask } = yield* asker()
    yield* status("replaying ...")
    const report = yield* ask(
      ReplaySession,
      {
        session: yield* checkedSession(session),
        ...(Option.isSome(fromStage) ? { fromStage: fromStage.value } : {}),
        ...(Option.isSome(engine) ? { engine: engine.value } : {}),
        ...(Option.isSome(model) ? { model: model.value } : {})
      },
      PATIENCE_MS
    ).pipe(Effect.ensuring(clearStatus))
    yield* json ? printJson(report) : printLine(human(report, process.stdout.isTTY))
  }, Effect.scoped)
).pipe(
  Command.withDescription("Run a session's recorded inputs through today's actors and compare"),
  Command.withExamples([
    { command: "voxbus replay 01JD...", description: "Everything after capture again" },
    {
      command: "voxbus replay 01JD... --from-stage transcriber --model whisper-tiny.en",
      description: "What another model would have heard"
    }
  ])
)
