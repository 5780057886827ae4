/** The device guard's lists in `config.json`: a pattern is put on one of them and taken off the other. */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { existsSync, readFileSync, renameSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { describe, Terminal } from "../kernel/Failure.ts"

const Patterns = Schema.optionalKey(Schema.Array(Schema.String))
const File = Schema.Record(Schema.String, Schema.Unknown)
const Lists = Schema.Struct({ allow: Patterns, block: Patterns })

const decodeFile = Schema.decodeUnknownSync(Schema.fromJsonString(File))
const decodeLists = Schema.decodeUnknownSync(Lists)

export const editList = (home: string, pattern: string, allow: boolean): Effect.Effect<void, Terminal> =>
  Effect.try({
    try: () => {
      const path = join(home, "config.json")
      const file = existsSync(path) ? decodeFile(readFileSync(path, "utf8")) : {}
      const recording = Schema.decodeUnknownSync(File)(file["recording"] ?? {})
      const lists = decodeLists(recording)
      const without = (list: ReadonlyArray<string> = []) => list.filter((each) => each !== pattern)
      const edited = {
        ...file,
        recording: {
          ...recording,
          allow: allow ? [...without(lists.allow), pattern] : without(lists.allow),
          block: allow ? without(lists.block) : [...without(lists.block), pattern]
        }
      }
      const draft = `${path}.${process.pid}`
      writeFileSync(draft, `${JSON.stringify(edited, null, 2)}\n`, { mode: 0o600 })
      renameSync(draft, path)
    },
    catch: (cause) => new Terminal({ code: "config.invalid", message: `config.json cannot be changed: ${describe(cause)}`, cause })
  })
