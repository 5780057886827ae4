/** `config.get`, `config.set`, `config.check`. */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { CheckConfig, DescribeConfig, GetConfig, SetConfig } from "../../contract/ConfigCommands.ts"
import { handler } from "../../kernel/Commands.ts"
import { Terminal } from "../../kernel/Failure.ts"
import { configPath, isTree, problemsOf, Settings, VARIABLES } from "../../kernel/Settings.ts"
import { settingFields } from "../../kernel/SettingFields.ts"
import { SettingsFile, VERSION } from "../../kernel/SettingsFile.ts"
import { at, fileTree, versionOf, writeSetting } from "../../kernel/SettingsWrite.ts"

const split = (path: string | undefined) => (path === undefined || path === "" ? [] : path.split("."))
const unknown = (path: string) =>
  new Terminal({ code: "config.invalid", message: `There is no setting ${path}. See: npx voxbus config get` })

/** The variable that sets a field now, if one does. */
const variableOf = (path: ReadonlyArray<string>): string | undefined =>
  Object.entries(VARIABLES).find(([name, to]) => to.join(".") === path.join(".") && (process.env[name] ?? "") !== "")?.[0]

/** Read once by what they set up; everything else is looked up when it is needed. */
const ONCE = ["gateway", "bus", "host", "privacy", "log", "output", "retention", "provider.circuit"]
const appliesOf = (path: string): "turn" | "session" | "restart" => {
  if (ONCE.some((each) => path === each || path.startsWith(`${each}.`))) return "restart"
  return path.startsWith("session.") || path === "session" ? "session" : "turn"
}

/** Everything that counts, as the file would have it. */
export const effective = Effect.map(Settings.current, (settings) => Schema.encodeSync(SettingsFile)(settings))
export const toJson = Schema.decodeUnknownSync(Schema.Json)

const get = handler(GetConfig, ({ path }) =>
  Effect.gen(function* () {
    const { home } = yield* Settings
    const keys = split(path)
    const value = at(yield* effective, keys)
    if (value === undefined) return yield* unknown(path ?? "")
    const inFile = at(yield* fileTree(home), keys) !== undefined
    const source = variableOf(keys) !== undefined ? ("environment" as const) : inFile ? ("file" as const) : ("default" as const)
    return { value: toJson(value), file: configPath(home), ...(isTree(value) ? {} : { source }) }
  })
)

const set = handler(SetConfig, ({ path, value }) =>
  Effect.gen(function* () {
    const { home } = yield* Settings
    const keys = split(path)
    yield* writeSetting(home, keys, value)
    const now = at(yield* effective, keys)
    const hiddenBy = variableOf(keys)
    return { path, value: toJson(now ?? null), applies: appliesOf(path), ...(hiddenBy === undefined ? {} : { hiddenBy }) }
  })
)

const check = handler(CheckConfig, () =>
  Effect.gen(function* () {
    const { home } = yield* Settings
    const file = configPath(home)
    const version = yield* Effect.try({ try: () => versionOf(home), catch: () => undefined }).pipe(Effect.orElseSucceed(() => 0))
    const problems = yield* fileTree(home).pipe(
      Effect.flatMap(problemsOf),
      Effect.catch(({ message }) => Effect.succeed([message]))
    )
    return { file, ok: problems.length === 0, problems, version, current: VERSION }
  })
)

const describe = handler(DescribeConfig, () =>
  Effect.gen(function* () {
    const { home } = yield* Settings
    const [now, inFile] = [yield* effective, yield* fileTree(home)]
    const fields = settingFields.map((field) => {
      const keys = split(field.path)
      const variable = variableOf(keys)
      const source =
        variable !== undefined ? ("environment" as const) : at(inFile, keys) !== undefined ? ("file" as const) : ("default" as const)
      return {
        ...field,
        value: toJson(at(now, keys) ?? null),
        source,
        applies: appliesOf(field.path),
        ...(variable === undefined ? {} : { variable })
      }
    })
    return { file: configPath(home), fields }
  })
)

export const configHandlers = [get, set, check, describe]
