/**
 * The private Python folder of the CTranslate2 engine: a venv, or where Python has no venv (Debian without
 * python3-venv) a folder that is put on PYTHONPATH. Nothing of the user's own packages is used or changed.
 *
 * It is accepted only when `import faster_whisper` works in it; what it prints (the versions) is kept as its origin.
 */
import * as Effect from "effect/Effect"
import { mkdir, readdir, rm, writeFile } from "node:fs/promises"
import { join, relative } from "node:path"
import { fileURLToPath } from "node:url"
import { Terminal } from "../kernel/Failure.ts"
import { complaint, type Outcome, run } from "./Command.ts"
import { findPython, type Python, withoutPython } from "./Python.ts"
import { fromCause } from "./SourceFailure.ts"

/** Modules that faster-whisper imports at its top and that the worker never uses. */
const STUBS = ["av", "onnxruntime", "huggingface_hub"]
const STUB = '"""Empty on purpose: faster_whisper imports this, the CTranslate2 worker does not use it."""\n'

const REQUIREMENTS = fileURLToPath(new URL("python-requirements.txt", import.meta.url))

/** Imports what the worker needs and prints the versions. */
export const HEALTH =
  "import faster_whisper as f, ctranslate2 as c, tokenizers as t, numpy as n; " +
  "print(f'faster-whisper {f.__version__}, ctranslate2 {c.__version__}, tokenizers {t.__version__}, numpy {n.__version__}')"

export interface PythonInstallation {
  /** Roles of `model.json`: `python`, and `site` where there is no venv. */
  readonly files: Readonly<Record<string, string>>
  readonly origin: string
}

const failed = (doing: string, outcome: Outcome): Terminal =>
  new Terminal({
    code: "setup.python",
    message: `The speech engine's Python packages could not be installed: ${doing} failed (${complaint(outcome)}). Check the network and pip, choose another Python with VOXBUS_PYTHON, or install a C++ compiler for the other engine.`
  })

const PIP = [
  "-m",
  "pip",
  "install",
  "--quiet",
  "--disable-pip-version-check",
  "--no-input",
  "--no-cache-dir",
  "--no-deps",
  "--only-binary=:all:"
]

/** What `python -I` ignores, a user's PYTHONPATH and site, cannot break the check either. */
const check = (python: string, site?: string) => run(python, ["-s", "-c", HEALTH], { env: { PYTHONPATH: site ?? "" } })

const inVenv = Effect.fnUntraced(function* (folder: string, base: Python) {
  const venv = join(folder, "venv")
  const made = yield* run(base.executable, ["-m", "venv", venv])
  if (made.code !== 0) return yield* failed("python -m venv", made)
  const python = process.platform === "win32" ? join(venv, "Scripts", "python.exe") : join(venv, "bin", "python")
  const installed = yield* run(python, [...PIP, "-r", REQUIREMENTS])
  if (installed.code !== 0) return yield* failed("pip install", installed)
  const where = yield* run(python, ["-c", "import sysconfig; print(sysconfig.get_paths()['purelib'])"])
  return { python, packages: where.stdout.trim(), site: undefined }
})

const inSite = Effect.fnUntraced(function* (folder: string, base: Python) {
  const site = join(folder, "site")
  const installed = yield* run(base.executable, [...PIP, "--target", site, "-r", REQUIREMENTS])
  if (installed.code !== 0) return yield* failed("pip install --target", installed)
  return { python: base.executable, packages: site, site }
})

/** pip and its like are not needed any more, and tests of numpy never were: a third of the folder. */
const slim = async (packages: string): Promise<void> => {
  const surplus = (name: string) => /^(pip|setuptools|pkg_resources|_distutils_hack)(-|$)/.test(name)
  for (const name of await readdir(packages)) if (surplus(name)) await rm(join(packages, name), { recursive: true, force: true })
  for (const entry of await readdir(join(packages, "numpy"), { recursive: true, withFileTypes: true }))
    if (entry.isDirectory() && entry.name === "tests") await rm(join(entry.parentPath, entry.name), { recursive: true, force: true })
}

/** Makes the environment in `folder`. */
export const installPython = Effect.fnUntraced(function* (
  folder: string,
  work: { readonly offline: boolean },
  report: (step: string) => void
) {
  if (work.offline)
    return yield* new Terminal({
      code: "network.offline",
      message:
        "The speech engine's Python packages are not here, and offline mode refuses to fetch them. Run `npm start` once without --offline."
    })
  report("looking for Python")
  const search = yield* findPython
  if (search.found === undefined)
    return yield* new Terminal({
      code: "setup.python",
      message: `There is ${withoutPython(search)}. Install Python 3.9 or newer with pip, or a C++ compiler for the other engine.`
    })
  const base = search.found
  if (!base.venv && !base.pip)
    return yield* new Terminal({
      code: "setup.python",
      message: `${base.executable} has neither venv nor pip (Debian: apt install python3-venv python3-pip).`
    })
  report(`installing the speech engine into a private Python ${base.version} folder (about 70 MB to download)`)
  yield* Effect.tryPromise({
    try: async () => {
      await rm(folder, { recursive: true, force: true })
      await mkdir(folder, { recursive: true })
    },
    catch: fromCause
  })
  const made = yield* base.venv ? inVenv(folder, base) : inSite(folder, base)
  yield* Effect.tryPromise({
    try: async () => {
      for (const name of STUBS) await writeFile(join(made.packages, `${name}.py`), STUB)
      await slim(made.packages)
    },
    catch: fromCause
  })
  const health = yield* check(made.python, made.site)
  if (health.code !== 0) return yield* failed("import faster_whisper", health)
  const files: Record<string, string> =
    made.site === undefined ? { python: relative(folder, made.python) } : { python: made.python, site: "site" }
  return { files, origin: `pip: ${health.stdout.trim()}` } satisfies PythonInstallation
})

/** Is an installed environment usable? Its versions, or what is wrong. */
export const checkPython = (python: string, site?: string): Effect.Effect<{ readonly ok: boolean; readonly detail: string }> =>
  check(python, site).pipe(
    Effect.map((outcome) => (outcome.code === 0 ? { ok: true, detail: outcome.stdout.trim() } : { ok: false, detail: complaint(outcome) }))
  )
