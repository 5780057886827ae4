/**
 * Everything that can be set: one schema, three sources. A flag wins over the environment, the environment over
 * `$VOXBUS_HOME/config.json`, that over the defaults. `voxbus doctor` prints where each value came from.
 *
 * The environment name of a field is `VOXBUS_` and its path in capitals: `gateway.port` is `VOXBUS_GATEWAY_PORT`,
 * `session.transcriber.model` is `VOXBUS_TRANSCRIBER_MODEL`. Keys of providers are read from the environment only.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import { existsSync, readFileSync } from "node:fs"
import { availableParallelism, homedir } from "node:os"
import { join, resolve } from "node:path"
import { SessionConfig } from "../contract/Session.ts"
import { describe, Terminal } from "./Failure.ts"

const withDefault = <S extends Schema.Top>(schema: S, value: S["Encoded"]) =>
  schema.pipe(Schema.withDecodingDefaultKey(Effect.succeed(value)))

const Port = Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 65_535 }))

/** The configuration file. */
export const SettingsFile = Schema.Struct({
  gateway: withDefault(
    Schema.Struct({
      /** TCP port on 127.0.0.1; 0 takes a free one. */
      port: withDefault(Port, 8765)
    }),
    {}
  ),
  bus: withDefault(
    Schema.Struct({
      /** An existing NATS with JetStream, `nats://host:4222`; empty starts one. Also `NATS_URL`. */
      url: withDefault(Schema.String, ""),
      /** Milliseconds without a sign of life after which work goes to another process. */
      ackWaitMs: withDefault(Schema.Int.check(Schema.isBetween({ minimum: 200, maximum: 60_000 })), 2_500)
    }),
    {}
  ),
  privacy: withDefault(
    Schema.Struct({
      /** Keep conversations on disk. Off: they live in memory and go after a restart or 60 idle minutes. */
      keepConversations: withDefault(Schema.Boolean, false)
    }),
    {}
  ),
  host: withDefault(
    Schema.Struct({
      /** `native`: transcriber, reasoner and speaker in processes of their own; `all`: every actor; `none`: all in one. */
      isolate: withDefault(Schema.Literals(["native", "all", "none"]), "native"),
      /** Threads that may compute at once; 0: as many as the machine has. */
      cores: withDefault(Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 1024 })), 0),
      /** Refuse every connection to another machine. */
      offline: withDefault(Schema.Boolean, false),
      /** Folder for finished calls; empty: `$VOXBUS_HOME/output`. */
      outputFolder: withDefault(Schema.String, "")
    }),
    {}
  ),
  provider: withDefault(
    Schema.Struct({
      /** OpenAI-compatible chat endpoint up to and with `/v1` (or OpenWebUI's `/api`); empty: the embedded model. */
      chatUrl: withDefault(Schema.String, ""),
      chatModel: withDefault(Schema.String, "")
    }),
    {}
  ),
  session: withDefault(SessionConfig, {})
})
export type SettingsFile = typeof SettingsFile.Type

export interface SettingsShape extends SettingsFile {
  /** Folder with all state. `VOXBUS_HOME`, else `~/.voxbus`. */
  readonly home: string
  /** Folder with models and tools, shared by all homes. `VOXBUS_CACHE`, else `~/.cache/voxbus`. */
  readonly cache: string
  readonly outputFolder: string
  readonly cores: number
  /** From `VOXBUS_CHAT_API_KEY` or `OPENWEBUI_API_KEY`; never written anywhere. */
  readonly chatApiKey: string
}

export class Settings extends Context.Service<Settings, SettingsShape>()("voxbus/Settings") {
  /** From the environment of the process and the file in its home. */
  static readonly layer = (overrides: Record<string, unknown> = {}) => Layer.effect(Settings, load(process.env, overrides))
}

type Environment = Readonly<Record<string, string | undefined>>

/** Environment variable to the path of a field. */
export const VARIABLES: Readonly<Record<string, ReadonlyArray<string>>> = {
  VOXBUS_GATEWAY_PORT: ["gateway", "port"],
  NATS_URL: ["bus", "url"],
  VOXBUS_BUS_URL: ["bus", "url"],
  VOXBUS_BUS_ACK_WAIT_MS: ["bus", "ackWaitMs"],
  VOXBUS_KEEP_CONVERSATIONS: ["privacy", "keepConversations"],
  VOXBUS_ISOLATE: ["host", "isolate"],
  VOXBUS_CORES: ["host", "cores"],
  VOXBUS_OFFLINE: ["host", "offline"],
  VOXBUS_OUTPUT_FOLDER: ["host", "outputFolder"],
  VOXBUS_CHAT_URL: ["provider", "chatUrl"],
  VOXBUS_CHAT_MODEL: ["provider", "chatModel"],
  VOXBUS_TRANSCRIBER_ENGINE: ["session", "transcriber", "engine"],
  VOXBUS_TRANSCRIBER_MODEL: ["session", "transcriber", "model"],
  VOXBUS_TRANSCRIBER_LANGUAGE: ["session", "transcriber", "language"],
  VOXBUS_TRANSCRIBER_BEAM_SIZE: ["session", "transcriber", "beamSize"],
  VOXBUS_REASONER_ENGINE: ["session", "reasoner", "engine"],
  VOXBUS_REASONER_SYSTEM_PROMPT: ["session", "reasoner", "systemPrompt"],
  VOXBUS_REASONER_MAX_TOKENS: ["session", "reasoner", "maxTokens"],
  VOXBUS_SPEAKER_VOICE: ["session", "speaker", "voice"],
  VOXBUS_SPEAKER_SPEED: ["session", "speaker", "speed"]
}

type Tree = { [key: string]: unknown }
const isTree = (value: unknown): value is Tree => typeof value === "object" && value !== null && !Array.isArray(value)

const merge = (below: unknown, above: unknown): unknown => {
  if (!isTree(below) || !isTree(above)) return above ?? below
  return Object.fromEntries([...new Set([...Object.keys(below), ...Object.keys(above)])].map((key) => [key, merge(below[key], above[key])]))
}

/** `"8765"` as the number, `"true"` as the boolean; other text as it is. */
const scalar = (text: string): unknown => (/^(true|false|-?\d+(\.\d+)?)$/.test(text) ? JSON.parse(text) : text)

const fromEnvironment = (environment: Environment): unknown =>
  Object.entries(VARIABLES).reduce<unknown>((tree, [name, path]) => {
    const text = environment[name]
    if (text === undefined || text === "") return tree
    return merge(
      tree,
      path.reduceRight<unknown>((value, key) => ({ [key]: value }), scalar(text))
    )
  }, {})

const invalid = (where: string, cause: unknown) => new Terminal({ code: "config.invalid", message: `${where}: ${describe(cause)}`, cause })

/** Reads, merges and validates the settings. Fails with `config.invalid`, naming the field. */
export const load = Effect.fnUntraced(function* (environment: Environment, overrides: Record<string, unknown> = {}) {
  const home = resolve(environment["VOXBUS_HOME"] || join(homedir(), ".voxbus"))
  const cache = resolve(environment["VOXBUS_CACHE"] || join(environment["XDG_CACHE_HOME"] || join(homedir(), ".cache"), "voxbus"))
  const path = join(home, "config.json")
  const file: unknown = existsSync(path)
    ? yield* Effect.try({ try: () => JSON.parse(readFileSync(path, "utf8")) as unknown, catch: (cause) => invalid(path, cause) })
    : {}
  const tree = merge(merge(file, fromEnvironment(environment)), overrides)
  const settings = yield* Schema.decodeUnknownEffect(SettingsFile, { onExcessProperty: "error" })(tree).pipe(
    Effect.mapError((cause) => invalid(`settings (${path}, VOXBUS_* and flags)`, cause))
  )
  const shape: SettingsShape = {
    ...settings,
    home,
    cache,
    outputFolder: settings.host.outputFolder === "" ? join(home, "output") : resolve(settings.host.outputFolder),
    cores: settings.host.cores === 0 ? availableParallelism() : settings.host.cores,
    chatApiKey: environment["VOXBUS_CHAT_API_KEY"] ?? environment["OPENWEBUI_API_KEY"] ?? ""
  }
  return shape
})
