/**
 * `voxbus keys set | test | remove | list`: keys of providers. A key is read from standard input or typed unseen; it is
 * never an argument, because other users of the machine can read those.
 */
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Prompt from "effect/cli/Prompt"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import { text } from "node:stream/consumers"
import { ListKeys, RemoveKey, SetKey, TestKey } from "../../contract/KeyCommands.ts"
import { Terminal } from "../../kernel/Failure.ts"
import { keyHandlers } from "../handlers/Keys.ts"
import { jsonFlag, printJson, printLine } from "../Output.ts"
import { query } from "../Query.ts"
import { NAMES } from "../providers/Endpoints.ts"

const nameArgument = Argument.Literals("name", NAMES).pipe(Argument.withDescription("openai, openwebui, elevenlabs or chat"))

const read = (stdin: boolean) =>
  stdin || !process.stdin.isTTY
    ? Effect.map(
        Effect.promise(() => text(process.stdin)),
        (typed) => typed.trim()
      )
    : Effect.map(Prompt.run(Prompt.Hidden({ message: "The key (it is not shown)" })), (typed) => Redacted.value(typed).trim())

const set = Command.make(
  "set",
  {
    name: nameArgument,
    stdin: Flag.Boolean("stdin").pipe(Flag.withDescription("Read the key from standard input"), Flag.withDefault(false)),
    noCheck: Flag.Boolean("no-check").pipe(
      Flag.withDescription("Keep it without asking the provider, for example without a network"),
      Flag.withDefault(false)
    ),
    json: jsonFlag
  },
  Effect.fn(function* ({ name, stdin, noCheck, json }) {
    const key = yield* read(stdin)
    if (key === "") return yield* new Terminal({ code: "command.usage", message: "No key was given." })
    const reply = yield* query(keyHandlers, SetKey, { name, key, check: !noCheck })
    yield* json
      ? printJson(reply)
      : printLine(
          `${name}: ${reply.checked ? "accepted by the provider and " : ""}kept in the ${reply.place === "file" ? "sealed file of the home" : reply.place}`
        )
  }, Effect.scoped)
).pipe(
  Command.withDescription("Keep a key, once the provider has accepted it"),
  Command.withExamples([{ command: "voxbus keys set openai --stdin < key.txt", description: "From a file" }])
)

const test = Command.make(
  "test",
  { name: nameArgument, json: jsonFlag },
  Effect.fn(function* ({ name, json }) {
    const reply = yield* query(keyHandlers, TestKey, { name })
    yield* json ? printJson(reply) : printLine(`${name}: accepted, ${reply.detail} (key from ${reply.place})`)
  }, Effect.scoped)
).pipe(Command.withDescription("Ask the provider whether it accepts the key"))

const remove = Command.make(
  "remove",
  { name: nameArgument, json: jsonFlag },
  Effect.fn(function* ({ name, json }) {
    const reply = yield* query(keyHandlers, RemoveKey, { name })
    yield* json ? printJson(reply) : printLine(reply.removed ? `${name}: removed` : `${name}: there was none`)
  }, Effect.scoped)
).pipe(Command.withDescription("Forget a key"))

const list = Command.make(
  "list",
  { json: jsonFlag },
  Effect.fn(function* ({ json }) {
    const reply = yield* query(keyHandlers, ListKeys, {})
    if (json) return yield* printJson(reply)
    for (const { name, set, place, masked } of reply.keys)
      yield* printLine(`${name.padEnd(12)} ${set ? `${masked ?? ""}  (${place ?? ""})` : "not set"}`)
  }, Effect.scoped)
).pipe(Command.withDescription("Which keys are set and where; never the keys"))

export const keys = Command.make("keys").pipe(
  Command.withDescription("Keep, test and remove keys of providers"),
  Command.withSubcommands([set, test, remove, list])
)
