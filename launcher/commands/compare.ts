/** `voxbus compare ACTOR [SESSION]`: what its shadow made of the same input. */
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { CompareActor, type Comparison } from "../../contract/ActorCommands.ts"
import { renderChanges } from "../../kernel/text/WordDiff.ts"
import { invoke } from "../Invoke.ts"
import { jsonFlag, printJson, printLine } from "../Output.ts"
import { checkedSession } from "../SessionArgument.ts"
import { SHADOWED } from "../shadow/Shadow.ts"

const human = ({ actor, sessions, same, added, removed, pace }: Comparison, colour: boolean): string => {
  if (sessions.length === 0) return `No shadow of ${actor} has worked here. Start one: npx voxbus run ${actor} --shadow --model NAME`
  const details = sessions.flatMap(({ session, texts, compared, waiting, failed }) => [
    `${session}  ${compared} compared${waiting === 0 ? "" : `, ${waiting} not done by the shadow yet`}${failed.shadow.length === 0 ? "" : `, failures of the shadow: ${failed.shadow.join(", ")}`}`,
    ...texts.flatMap((text) =>
      text.added + text.removed === 0
        ? []
        : [`  ${text.what} ${text.number}: ${text.added} added, ${text.removed} removed`, `  ${renderChanges(text.changes, colour)}`]
    )
  ])
  const row = (who: string, { p50, p95, computeMs }: Comparison["pace"]["actor"]) =>
    `${who.padEnd(12)} p50 ${p50.toFixed(0)} ms, p95 ${p95.toFixed(0)} ms, computed ${computeMs.toFixed(0)} ms`
  return [
    ...details,
    "",
    `words: ${same} the same, ${added} only the shadow's, ${removed} only the actor's`,
    row(actor, pace.actor),
    row("its shadow", pace.shadow)
  ].join("\n")
}

export const compare = Command.make(
  "compare",
  {
    actor: Argument.Literals("actor", SHADOWED).pipe(Argument.withDescription(`One of: ${SHADOWED.join(", ")}`)),
    session: Argument.String("session").pipe(Argument.withDescription("Only this session"), Argument.optional),
    json: jsonFlag
  },
  Effect.fn(function* ({ actor, session, json }) {
    const comparison = yield* invoke(CompareActor, {
      actor,
      ...(Option.isSome(session) ? { session: yield* checkedSession(session.value) } : {})
    })
    yield* json ? printJson(comparison) : printLine(human(comparison, process.stdout.isTTY))
  }, Effect.scoped)
).pipe(
  Command.withDescription("Compare an actor with its shadow: words and time for the same input"),
  Command.withExamples([
    { command: "voxbus compare transcriber", description: "After `voxbus run transcriber --shadow --model whisper-tiny.en`" }
  ])
)
