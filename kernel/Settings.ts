/**
 * Everything that can be set: one schema (`SettingsFile.ts`), three sources. A flag wins over the environment, the
 * environment over `$VOXBUS_HOME/config.json`, that over the defaults.
 *
 * `yield* Settings` is what was set when the process started; `Settings.current` reads the file again when it changed,
 * which is how providers and sessions get a new value with the next turn. A file that became invalid changes nothing.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import { existsSync, readFileSync, statSync } from "node:fs"
import { availableParallelism, homedir } from "node:os"
import { join, resolve } from "node:path"
import { describe, Terminal } from "./Failure.ts"
import { SettingsFile, VERSION } from "./SettingsFile.ts"

export interface SettingsShape extends SettingsFile {
  /** Folder with all state. `VOXBUS_HOME`, else `~/.voxbus`. */
  readonly home: string
  /** Folder with models and tools, shared by all homes. `VOXBUS_CACHE`, else `~/.cache/voxbus`. */
  readonly cache: string
  readonly outputFolder: string
  readonly cores: number
  /** The settings as they are now; see `Settings.current`. */
  readonly reload: Effect.Effect<SettingsShape>
}

export class Settings extends Context.Service<Settings, SettingsShape>()("voxbus/Settings") {
  /** From the environment of the process and the file in its home. */
  static readonly layer = (overrides: Record<string, unknown> = {}) => Layer.effect(Settings, load(process.env, overrides))
  /** The same, with the defaults in place of a file that is not valid. */
  static readonly layerForRepair = Layer.effect(
    Settings,
    Effect.suspend(() => load(process.env)).pipe(Effect.catch(() => load(process.env, {}, () => Effect.succeed({}))))
  )
  /** The settings as they are now: a look at the file's time stamp, and the file itself when it changed. */
  static readonly current: Effect.Effect<SettingsShape, never, Settings> = Effect.flatMap(Settings, ({ reload }) => reload)
}

type Environment = Readonly<Record<string, string | undefined>>

/** Environment variable to the path of a field. */
export const VARIABLES: Readonly<Record<string, ReadonlyArray<string>>> = {
  VOXBUS_GATEWAY_PORT: ["gateway", "port"],
  VOXBUS_GATEWAY_HOST: ["gateway", "host"],
  VOXBUS_WYOMING_PORT: ["gateway", "wyoming", "port"],
  VOXBUS_GATEWAY_TLS_CERTIFICATE: ["gateway", "tls", "certificate"],
  VOXBUS_GATEWAY_TLS_KEY: ["gateway", "tls", "key"],
  NATS_URL: ["bus", "url"],
  VOXBUS_BUS_URL: ["bus", "url"],
  VOXBUS_BUS_CREDENTIALS: ["bus", "credentials"],
  VOXBUS_BUS_CA_FILE: ["bus", "caFile"],
  VOXBUS_BUS_CERT_FILE: ["bus", "certFile"],
  VOXBUS_BUS_KEY_FILE: ["bus", "keyFile"],
  VOXBUS_BUS_ACK_WAIT_MS: ["bus", "ackWaitMs"],
  VOXBUS_KEEP_CONVERSATIONS: ["privacy", "keepConversations"],
  VOXBUS_ISOLATE: ["host", "isolate"],
  VOXBUS_CORES: ["host", "cores"],
  VOXBUS_OFFLINE: ["host", "offline"],
  VOXBUS_KEYRING: ["host", "keyring"],
  VOXBUS_OTLP_URL: ["telemetry", "otlpUrl"],
  VOXBUS_TRANSCRIBER_CHAIN: ["provider", "transcriber", "chain"],
  VOXBUS_REASONER_CHAIN: ["provider", "reasoner", "chain"],
  VOXBUS_SPEAKER_CHAIN: ["provider", "speaker", "chain"],
  VOXBUS_OUTPUT_FOLDER: ["host", "outputFolder"],
  VOXBUS_OUTPUT_AUDIO: ["output", "audio"],
  VOXBUS_RETENTION_DAYS: ["retention", "days"],
  VOXBUS_RETENTION_CALLS: ["retention", "calls"],
  VOXBUS_RETENTION_GIGABYTES: ["retention", "gigabytes"],
  VOXBUS_CHAT_URL: ["provider", "chat", "url"],
  VOXBUS_CHAT_MODEL: ["provider", "chat", "model"],
  OPENWEBUI_BASE_URL: ["provider", "openwebui", "url"],
  OPENWEBUI_MODEL_NAME: ["provider", "openwebui", "model"],
  OPENWEBUI_KNOWLEDGE_COLLECTION_ID: ["provider", "openwebui", "knowledge"],
  OPENAI_BASE_URL: ["provider", "openai", "url"],
  ELEVENLABS_BASE_URL: ["provider", "elevenlabs", "url"],
  ELEVENLABS_VOICE_ID: ["provider", "elevenlabs", "voice"],
  VOXBUS_RECORDING_SAMPLE_RATE: ["recording", "sampleRate"],
  VOXBUS_RECORDING_GRACE_SECONDS: ["recording", "graceSeconds"],
  VOXBUS_RECORDING_UNDO_SECONDS: ["recording", "undoSeconds"],
  VOXBUS_RECORDING_MIN_FREE_MB: ["recording", "minFreeMb"],
  VOXBUS_CONVERSATION_SILENCE_MS: ["conversation", "silenceMs"],
  VOXBUS_CONVERSATION_MIN_SPEECH_MS: ["conversation", "minSpeechMs"],
  VOXBUS_CONVERSATION_MAX_SECONDS: ["conversation", "maxSeconds"],
  VOXBUS_CONVERSATION_INTERRUPT_MS: ["conversation", "interruptMs"],
  VOXBUS_CONVERSATION_PATIENCE_SECONDS: ["conversation", "patienceSeconds"],
  VOXBUS_RECORDING_DETECT: ["recording", "detect"],
  VOXBUS_RECORDING_DETECT_SECONDS: ["recording", "detectSeconds"],
  VOXBUS_JOBS_CONCURRENCY: ["jobs", "concurrency"],
  VOXBUS_TRANSCRIBER_ENGINE: ["session", "transcriber", "engine"],
  VOXBUS_TRANSCRIBER_MODEL: ["session", "transcriber", "model"],
  VOXBUS_TRANSCRIBER_LANGUAGE: ["session", "transcriber", "language"],
  VOXBUS_TRANSCRIBER_BEAM_SIZE: ["session", "transcriber", "beamSize"],
  VOXBUS_TRANSCRIBER_BEST_OF: ["session", "transcriber", "bestOf"],
  VOXBUS_KEYWORDS: ["session", "keywords"],
  VOXBUS_SUMMARIZE: ["session", "afterCall", "summarize"],
  VOXBUS_REASONER_ENGINE: ["session", "reasoner", "engine"],
  VOXBUS_REASONER_SYSTEM_PROMPT: ["session", "reasoner", "systemPrompt"],
  VOXBUS_REASONER_MAX_TOKENS: ["session", "reasoner", "maxTokens"],
  VOXBUS_SPEAKER_ENGINE: ["session", "speaker", "engine"],
  VOXBUS_SPEAKER_VOICE: ["session", "speaker", "voice"],
  VOXBUS_SPEAKER_SPEED: ["session", "speaker", "speed"]
}

export type Tree = { [key: string]: unknown }
export const isTree = (value: unknown): value is Tree => typeof value === "object" && value !== null && !Array.isArray(value)

const merge = (below: unknown, above: unknown): unknown => {
  if (!isTree(below) || !isTree(above)) return above ?? below
  return Object.fromEntries([...new Set([...Object.keys(below), ...Object.keys(above)])].map((key) => [key, merge(below[key], above[key])]))
}

/** `"8765"` as the number, `"true"` as the boolean; other text as it is. */
const scalar = (text: string): unknown => (/^(true|false|-?\d+(\.\d+)?)$/.test(text) ? JSON.parse(text) : text)

/** Fields that are lists: their variables separate the items by commas. */
const LISTS: ReadonlyArray<string> = ["VOXBUS_KEYWORDS"]

const valueOf = (name: string, text: string): unknown =>
  LISTS.includes(name) || name.endsWith("_CHAIN")
    ? text
        .split(",")
        .map((item) => item.trim())
        .filter((item) => item !== "")
    : scalar(text)

const fromEnvironment = (environment: Environment): unknown =>
  Object.entries(VARIABLES).reduce<unknown>((tree, [name, path]) => {
    const text = environment[name]
    if (text === undefined || text === "") return tree
    return merge(
      tree,
      path.reduceRight<unknown>((value, key) => ({ [key]: value }), valueOf(name, text))
    )
  }, {})

const invalid = (where: string, cause: unknown) => new Terminal({ code: "config.invalid", message: `${where}: ${describe(cause)}`, cause })

/** A file of an older format as one of today's. */
export const migrate = (file: unknown): unknown => {
  if (!isTree(file) || (file["version"] ?? 1) !== 1) return file
  const { provider, ...others } = file
  if (!isTree(provider)) return { ...file, version: VERSION }
  const { chatUrl, chatModel, ...providers } = provider
  const chat = { ...(chatUrl === undefined ? {} : { url: chatUrl }), ...(chatModel === undefined ? {} : { model: chatModel }) }
  return { ...others, version: VERSION, provider: Object.keys(chat).length === 0 ? providers : merge({ chat }, providers) }
}

export const configPath = (home: string): string => join(home, "config.json")

/** The file as it is, migrated; `{}` where there is none. */
export const readFile = (path: string): Effect.Effect<unknown, Terminal> =>
  existsSync(path)
    ? Effect.try({ try: () => migrate(JSON.parse(readFileSync(path, "utf8"))), catch: (cause) => invalid(path, cause) })
    : Effect.succeed({})

/** `Expected a number at ["a"]["b"]` as `a.b: expected a number`. */
const readable = (message: string): ReadonlyArray<string> =>
  message.split(/\n(?!\s)/).map((problem) => {
    const [what = "", where = ""] = problem.split(/\n\s+at /)
    const path = [...where.matchAll(/\["?([^"\]]+)"?\]/g)].map(([, key]) => key).join(".")
    const why = what === "Expected no excess property" ? "there is no such setting" : what.charAt(0).toLowerCase() + what.slice(1)
    return path === "" ? why : `${path}: ${why}`
  })

const decodeFile = Schema.decodeUnknownEffect(SettingsFile, { onExcessProperty: "error", errors: "all" })

/** Every field of a settings tree that is wrong or unknown, with why. */
export const problemsOf = (tree: unknown): Effect.Effect<ReadonlyArray<string>> =>
  decodeFile(tree).pipe(
    Effect.as<ReadonlyArray<string>>([]),
    Effect.catch((cause) => Effect.succeed(readable(cause.message)))
  )

const homeOf = (environment: Environment) => resolve(environment["VOXBUS_HOME"] || join(homedir(), ".voxbus"))

const read = Effect.fnUntraced(function* (environment: Environment, overrides: Record<string, unknown>, file: typeof readFile) {
  const home = homeOf(environment)
  const cache = resolve(environment["VOXBUS_CACHE"] || join(environment["XDG_CACHE_HOME"] || join(homedir(), ".cache"), "voxbus"))
  const path = configPath(home)
  const tree = merge(merge(yield* file(path), fromEnvironment(environment)), overrides)
  const settings = yield* decodeFile(tree).pipe(
    Effect.mapError((cause) => invalid(`Settings (${path}, the environment and flags)`, readable(cause.message).join("; ")))
  )
  return {
    ...settings,
    home,
    cache,
    outputFolder: settings.host.outputFolder === "" ? join(home, "output") : resolve(settings.host.outputFolder),
    cores: settings.host.cores === 0 ? availableParallelism() : settings.host.cores
  }
})

/** Changes when the file does; editors and `config set` replace it. */
const stampOf = (path: string): string => {
  const stat = statSync(path, { throwIfNoEntry: false })
  return stat === undefined ? "" : `${stat.ino}:${stat.size}:${stat.mtimeMs}`
}

/** Reads, merges and validates the settings. Fails with `config.invalid`, naming the field. */
export const load = Effect.fnUntraced(function* (
  environment: Environment,
  overrides: Record<string, unknown> = {},
  file: typeof readFile = readFile
): Effect.fn.Return<SettingsShape, Terminal> {
  const path = configPath(homeOf(environment))
  let stamp = stampOf(path)
  const reload: Effect.Effect<SettingsShape> = Effect.suspend(() => {
    const now = stampOf(path)
    if (now === stamp) return Effect.succeed(current)
    stamp = now
    return read(environment, overrides, file).pipe(
      Effect.map((settings) => (current = { ...settings, reload })),
      Effect.catch((failure) =>
        Effect.as(
          Effect.logWarning("the settings became invalid; the last valid ones stay").pipe(Effect.annotateLogs({ reason: failure.message })),
          current
        )
      )
    )
  })
  let current: SettingsShape = { ...(yield* read(environment, overrides, file)), reload }
  return current
})
