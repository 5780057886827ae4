/** `voxbus config get | set | unset | check | path`: the configuration file, checked before it is written. */
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { CheckConfig, GetConfig, SetConfig } from "../../contract/ConfigCommands.ts"
import { configPath, isTree, Settings } from "../../kernel/Settings.ts"
import { configHandlers } from "../handlers/Config.ts"
import { jsonFlag, note, printJson, printLine } from "../Output.ts"
import { query } from "../Query.ts"

const pathArgument = Argument.String("path").pipe(Argument.withDescription("Such as provider.openwebui.url"))

/** `a.b = value` for every value in a tree. */
const lines = (value: unknown, path: ReadonlyArray<string>): ReadonlyArray<string> =>
  isTree(value)
    ? Object.entries(value).flatMap(([key, below]) => lines(below, [...path, key]))
    : [path.length === 0 ? JSON.stringify(value) : `${path.join(".")} = ${JSON.stringify(value)}`]

const get = Command.make(
  "get",
  { path: pathArgument.pipe(Argument.optional), json: jsonFlag },
  Effect.fn(function* ({ path, json }) {
    const reply = yield* query(configHandlers, GetConfig, Option.isSome(path) ? { path: path.value } : {})
    if (json) return yield* printJson(reply)
    if (!isTree(reply.value)) return yield* printLine(typeof reply.value === "string" ? reply.value : JSON.stringify(reply.value))
    const at = Option.match(path, { onNone: () => [], onSome: (text) => text.split(".") })
    for (const line of lines(reply.value, at)) yield* printLine(line)
  }, Effect.scoped)
).pipe(Command.withDescription("Print the settings that count, or one of them"))

const APPLIES = {
  turn: "It is used from the next turn on.",
  session: "New sessions use it.",
  restart: "It is used after `voxbus start` is run again."
} as const

const store = Effect.fnUntraced(function* (request: typeof SetConfig.request.Type, json: boolean) {
  const reply = yield* query(configHandlers, SetConfig, request)
  if (json) return yield* printJson(reply)
  yield* printLine(`${reply.path} = ${JSON.stringify(reply.value)}\n${APPLIES[reply.applies]}`)
  if (reply.hiddenBy !== undefined) yield* note(`The variable ${reply.hiddenBy} is set and wins over the file.`)
})

/** `5`, `true`, `["a","b"]` as JSON; anything else is text. */
const parse = Schema.decodeUnknownOption(Schema.fromJsonString(Schema.Json))

const set = Command.make(
  "set",
  {
    path: pathArgument,
    value: Argument.String("value").pipe(Argument.withDescription("Text, a number, true, false or JSON")),
    json: jsonFlag
  },
  Effect.fn(function* ({ path, value, json }) {
    const parsed = Option.getOrElse(parse(value), () => value)
    yield* store({ path, value: parsed }, json).pipe(
      // A text that looks like a number.
      Effect.catch((failure) =>
        failure.code === "config.invalid" && parsed !== value
          ? Effect.mapError(store({ path, value }, json), () => failure)
          : Effect.fail(failure)
      )
    )
  }, Effect.scoped)
).pipe(
  Command.withDescription("Change a setting"),
  Command.withExamples([
    { command: 'voxbus config set provider.speaker.chain \'["elevenlabs","piper-local"]\'', description: "A fallback chain" }
  ])
)

const unset = Command.make(
  "unset",
  { path: pathArgument, json: jsonFlag },
  Effect.fn(({ path, json }) => store({ path }, json), Effect.scoped)
).pipe(Command.withDescription("Set a setting back to its default"))

const check = Command.make(
  "check",
  { json: jsonFlag },
  Effect.fn(function* ({ json }) {
    const reply = yield* query(configHandlers, CheckConfig, {})
    if (!reply.ok) process.exitCode = 2
    if (json) return yield* printJson(reply)
    for (const problem of reply.problems) yield* printLine(problem)
    yield* printLine(reply.ok ? `${reply.file} is valid.` : `Correct these in ${reply.file}.`)
  }, Effect.scoped)
).pipe(Command.withDescription("Check the configuration file"))

const path = Command.make(
  "path",
  { json: jsonFlag },
  Effect.fn(function* ({ json }) {
    const file = configPath((yield* Settings).home)
    yield* json ? printJson({ file }) : printLine(file)
  })
).pipe(Command.withDescription("Print where the configuration file is"))

export const config = Command.make("config").pipe(
  Command.withDescription("Read and change the settings"),
  Command.withSubcommands([get, set, unset, check, path])
)
