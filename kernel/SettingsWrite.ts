/**
 * Changing the configuration file: one value at a path, the whole file checked with it before anything is written, the
 * file replaced as a whole (0600). A file of an older format is kept beside it as `config.json.v1` when it is rewritten.
 */
import * as Effect from "effect/Effect"
import { chmodSync, existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs"
import { dirname } from "node:path"
import { describe, Terminal } from "./Failure.ts"
import { configPath, isTree, problemsOf, readFile, type Tree } from "./Settings.ts"
import { VERSION } from "./SettingsFile.ts"

/** The value at a path of a tree; `undefined` where there is none. */
export const at = (tree: unknown, path: ReadonlyArray<string>): unknown =>
  path.reduce<unknown>((value, key) => (isTree(value) && Object.hasOwn(value, key) ? value[key] : undefined), tree)

/** A tree with the value at a path; without it when the value is `undefined`, and without groups that became empty. */
const put = (tree: unknown, path: ReadonlyArray<string>, value: unknown): unknown => {
  const [key, ...rest] = path
  if (key === undefined) return value
  const { [key]: before, ...others }: Tree = isTree(tree) ? tree : {}
  const after = put(before, rest, value)
  const gone = after === undefined || (value === undefined && isTree(after) && Object.keys(after).length === 0)
  return gone ? others : { ...others, [key]: after }
}

/** Version of the file as it is on disk; today's where there is none. */
export const versionOf = (home: string): number => {
  const path = configPath(home)
  if (!existsSync(path)) return VERSION
  const file: unknown = JSON.parse(readFileSync(path, "utf8"))
  const version = isTree(file) ? (file["version"] ?? 1) : 1
  return typeof version === "number" ? version : 1
}

/** What the file itself says, without defaults and the environment. */
export const fileTree = (home: string): Effect.Effect<unknown, Terminal> => readFile(configPath(home))

/**
 * @param value absent: back to the default
 * @returns fails with `config.invalid`, and changes nothing, when the file would have a new mistake
 */
export const writeSetting = Effect.fnUntraced(function* (home: string, path: ReadonlyArray<string>, value: unknown) {
  const file = configPath(home)
  const now = yield* fileTree(home)
  const next = put(now, path, value)
  // What was wrong before may stay wrong: a file with two mistakes is repaired one by one.
  const before = yield* problemsOf(now)
  const added = (yield* problemsOf(next)).filter((problem) => !before.includes(problem))
  if (added.length > 0) return yield* new Terminal({ code: "config.invalid", message: added.join("; ") })
  yield* Effect.try({
    try: () => {
      mkdirSync(dirname(file), { recursive: true, mode: 0o700 })
      const version = versionOf(home)
      if (version !== VERSION) writeFileSync(`${file}.v${version}`, readFileSync(file), { mode: 0o600 })
      const draft = `${file}.${process.pid}`
      writeFileSync(draft, `${JSON.stringify({ version: VERSION, ...(isTree(next) ? next : {}) }, null, 2)}\n`, { mode: 0o600 })
      chmodSync(draft, 0o600)
      renameSync(draft, file)
    },
    catch: (cause) => new Terminal({ code: "config.invalid", message: `${file} cannot be written: ${describe(cause)}`, cause })
  })
})
