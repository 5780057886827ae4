/** `voxbus speakers SESSION`: who speaks in a call, and their names. */
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { ListSpeakers, RenameSpeaker, UndoRename } from "../../contract/SpeakerCommands.ts"
import { Terminal } from "../../kernel/Failure.ts"
import { invoke } from "../Invoke.ts"
import { clock, jsonFlag, printJson, printLine } from "../Output.ts"

export const speakers = Command.make(
  "speakers",
  {
    session: Argument.String("session").pipe(Argument.withDescription("Id of the call")),
    rename: Flag.String("rename").pipe(
      Flag.withDescription("Speaker and name, such as speaker-1=Anna; an empty name takes it away"),
      Flag.optional
    ),
    undo: Flag.Boolean("undo").pipe(Flag.withDescription("Take the newest rename back"), Flag.withDefault(false)),
    json: jsonFlag
  },
  Effect.fn(function* ({ session, rename, undo, json }) {
    const change = Option.isSome(rename) ? /^([^=]+)=(.*)$/.exec(rename.value) : undefined
    if (change === null) return yield* new Terminal({ code: "command.usage", message: "Write --rename SPEAKER=NAME." })
    const result = yield* undo
      ? invoke(UndoRename, { session })
      : change !== undefined
        ? invoke(RenameSpeaker, { session, speaker: change[1] ?? "", name: change[2] ?? "" })
        : invoke(ListSpeakers, { session })
    if (json) return yield* printJson(result)
    yield* printLine(
      result.method === undefined
        ? "Nobody has been told apart in this call."
        : result.speakers.map(({ id, name, seconds }) => `${id}  ${name === id ? "" : `${name}  `}${clock(seconds)}`).join("\n")
    )
  }, Effect.scoped)
).pipe(
  Command.withDescription("Who speaks in a call, and what they are called"),
  Command.withExamples([{ command: "voxbus speakers SESSION --rename speaker-1=Anna", description: "Give a speaker a name" }])
)
