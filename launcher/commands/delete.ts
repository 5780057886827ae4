/**
 * `voxbus delete SESSION`: gone for good. It asks first and names what goes; there is no undo, because whoever deletes a
 * call wants its bytes off the disk now. What is not meant that way is `voxbus record --do discard`, which can be undone.
 */
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Prompt from "effect/cli/Prompt"
import * as Effect from "effect/Effect"
import { DeleteSession, GetSession } from "../../contract/SessionCommands.ts"
import { Terminal } from "../../kernel/Failure.ts"
import { asker } from "../Invoke.ts"
import { clock, jsonFlag, note, printJson, printLine } from "../Output.ts"
import { sessionArgument } from "../SessionArgument.ts"

const megabytes = (bytes: number) => `${(bytes / 1e6).toFixed(1)} MB`

export const deleteCommand = Command.make(
  "delete",
  {
    session: sessionArgument,
    yes: Flag.Boolean("yes").pipe(Flag.withAlias("y"), Flag.withDescription("Do not ask"), Flag.withDefault(false)),
    force: Flag.Boolean("force").pipe(Flag.withDescription("Also while work on it goes on"), Flag.withDefault(false)),
    json: jsonFlag
  },
  Effect.fn(function* ({ session, yes, force, json }) {
    const { ask } = yield* asker()
    if (!yes) {
      if (!process.stdin.isTTY) {
        return yield* new Terminal({ code: "command.usage", message: "This cannot be undone. Repeat it with --yes." })
      }
      const { title, startedAt, durationSeconds, bytes, folder, pinned } = yield* ask(GetSession, { session })
      const date = startedAt.slice(0, 16).replace("T", " ")
      yield* note(`${title}, ${date}, ${clock(durationSeconds)}${pinned ? ", pinned" : ""}`)
      yield* note(`  ${megabytes(bytes)} of audio, transcripts and files${folder === "" ? "" : `, and ${folder}`}`)
      if (!(yield* Prompt.run(Prompt.Confirm({ message: "Erase it? This cannot be undone.", initial: false })))) return
    }
    const gone = yield* ask(DeleteSession, { session, force })
    if (json) return yield* printJson(gone)
    yield* printLine(`${session} is erased: ${gone.events} events, ${megabytes(gone.bytes)}. A tombstone says that it was there.`)
    for (const path of gone.left) yield* note(`  left, as Voxbus did not write it: ${path}`)
  }, Effect.scoped)
).pipe(
  Command.withDescription("Erase a session: events, audio, transcripts, index and output files"),
  Command.withExamples([{ command: "voxbus delete 01JD... --yes", description: "Without being asked" }])
)
