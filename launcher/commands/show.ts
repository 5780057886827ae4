/** `voxbus show SESSION`: how a session stands, or stood at any of its events. */
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { ShowSession } from "../../contract/HistoryCommands.ts"
import { invoke } from "../Invoke.ts"
import { clock, jsonFlag, printJson, printLine } from "../Output.ts"
import { checkedSession } from "../SessionArgument.ts"

export const show = Command.make(
  "show",
  {
    session: Argument.String("session").pipe(Argument.withDescription("Id of the session")),
    at: Flag.Int("at").pipe(Flag.withDescription("Sequence of an event (see `voxbus events`): as of then"), Flag.optional),
    json: jsonFlag
  },
  Effect.fn(function* ({ session, at, json }) {
    const shown = yield* invoke(ShowSession, { session: yield* checkedSession(session), ...(Option.isSome(at) ? { at: at.value } : {}) })
    if (json) return yield* printJson(shown)
    const { coverage, context } = shown
    yield* printLine(
      [
        `${shown.title} (${shown.mode} ${shown.session})`,
        `  state     ${shown.state}`,
        `  as of     ${shown.at}: ${shown.subject}, ${shown.time}; ${shown.events} events`,
        ...(coverage === undefined
          ? []
          : [
              `  coverage  ${(100 * coverage.ratio).toFixed(1)} %, version ${shown.version ?? 1}`,
              ...coverage.gaps.map((gap) => `  gap       ${clock(gap.start / 16_000)} - ${clock(gap.end / 16_000)}: ${gap.reason}`)
            ]),
        "",
        ...(context === undefined
          ? [shown.text === "" ? "(no text yet)" : shown.text]
          : context.map(({ role, content }) => `${role.padEnd(9)} ${content}`))
      ].join("\n")
    )
  }, Effect.scoped)
).pipe(
  Command.withDescription("State, context and text of a session, now or as of any event"),
  Command.withExamples([{ command: "voxbus show 01JD... --at 120 --json", description: "As it was when event 120 was on the log" }])
)
