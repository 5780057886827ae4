/** `voxbus dlq`: events that could not be handled, and what to do about them. */
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schedule from "effect/Schedule"
import { DropLetters, type Letter, ListLetters, RestoreLetters, RetryLetters, ShowLetter } from "../../contract/DlqCommands.ts"
import { ERRORS } from "../../contract/Errors.ts"
import { asker, invoke } from "../Invoke.ts"
import { jsonFlag, printJson, printLine } from "../Output.ts"
import { CALL_ACTORS } from "../Registry.ts"

const idArgument = Argument.Int("id").pipe(Argument.withDescription("Number of the dead letter"))
const idsArgument = idArgument.pipe(Argument.variadic())
const allFlag = Flag.Boolean("all").pipe(Flag.withDescription("Every open one"), Flag.withDefault(false))

const line = (letter: Letter) =>
  `${String(letter.id).padStart(5)}  ${letter.state.padEnd(8)}  ${letter.at.slice(0, 19)}Z  ${letter.actor.padEnd(11)}  ${letter.code.padEnd(18)}  ${letter.subject}\n       ${letter.message}${letter.newer === undefined ? "" : ` (tried again: see ${letter.newer})`}`

const print = (letters: ReadonlyArray<Letter>, json: boolean) =>
  json
    ? Effect.forEach(letters, printJson, { discard: true })
    : printLine(letters.length === 0 ? "No dead letters." : letters.map(line).join("\n"))

const list = Command.make(
  "list",
  {
    all: Flag.Boolean("all").pipe(Flag.withDescription("Also those that are done, failed again or dropped"), Flag.withDefault(false)),
    json: jsonFlag
  },
  Effect.fn(function* ({ all, json }) {
    const { letters } = yield* invoke(ListLetters, { all })
    yield* print(letters, json)
  }, Effect.scoped)
).pipe(Command.withDescription("Events that could not be handled, with the reason"))

const show = Command.make(
  "show",
  { id: idArgument, json: jsonFlag },
  Effect.fn(function* ({ id, json }) {
    const { letter, body } = yield* invoke(ShowLetter, { id })
    if (json) return yield* printJson({ ...letter, ...(body === undefined ? {} : { body }) })
    yield* printLine(
      `${line(letter)}\n       ${ERRORS[letter.code].fix}\n       event ${letter.event}, ${letter.attempts} attempt${letter.attempts === 1 ? "" : "s"}\n\n${body ?? "(the event is not on the log any more)"}`
    )
  }, Effect.scoped)
).pipe(Command.withDescription("One of them, with the event itself"))

/** How long `retry` waits to say how it went. */
const PATIENCE = "60 seconds"

const retry = Command.make(
  "retry",
  { ids: idsArgument, all: allFlag, json: jsonFlag },
  Effect.fn(function* ({ ids, all, json }) {
    const { ask } = yield* asker(CALL_ACTORS)
    const { letters } = yield* ask(RetryLetters, all ? { all } : { ids })
    const now = Effect.map(ask(ListLetters, { all: true }), (found) =>
      letters.map(({ id }) => found.letters.find((each) => each.id === id))
    )
    const settled = yield* now.pipe(
      Effect.repeat({
        until: (states) => states.every((letter) => letter?.state !== "retrying"),
        schedule: Schedule.spaced("100 millis")
      }),
      Effect.timeoutOption(PATIENCE)
    )
    const after = Option.isSome(settled) ? settled.value : yield* now
    const states = after.flatMap((letter) => (letter === undefined ? [] : [letter]))
    yield* print(states, json)
    if (states.some(({ state }) => state === "failed")) process.exitCode = 5
  }, Effect.scoped)
).pipe(Command.withDescription("Give them back to the actor that failed, and see how it goes"))

const drop = Command.make(
  "drop",
  { ids: idsArgument, all: allFlag, json: jsonFlag },
  Effect.fn(function* ({ ids, all, json }) {
    const { letters } = yield* invoke(DropLetters, all ? { all } : { ids })
    yield* print(letters, json)
  }, Effect.scoped)
).pipe(Command.withDescription("Set them aside; `restore` takes it back"))

const restore = Command.make(
  "restore",
  { ids: idsArgument, json: jsonFlag },
  Effect.fn(function* ({ ids, json }) {
    const { letters } = yield* invoke(RestoreLetters, { ids })
    yield* print(letters, json)
  }, Effect.scoped)
).pipe(Command.withDescription("Make dropped ones open again"))

export const dlq = Command.make("dlq").pipe(
  Command.withDescription("Dead letters: events that could not be handled"),
  Command.withExamples([
    { command: "voxbus dlq list", description: "What could not be handled, and why" },
    { command: "voxbus dlq retry 7", description: "Try number 7 again; --all: every open one" }
  ]),
  Command.withSubcommands([list, show, retry, drop, restore])
)
