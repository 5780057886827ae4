/**
 * The schema of `$VOXBUS_HOME/config.json`: every field with its default and its meaning. Keys of providers are not in
 * it; they are kept by `Keys.ts`. Reading, merging and writing are `Settings.ts` and `SettingsWrite.ts`.
 */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { SessionConfig } from "../contract/Session.ts"

/** Version of the format: 2 has `provider.chat.url` where 1 had `provider.chatUrl`. */
export const VERSION = 2

const withDefault = <S extends Schema.Top>(schema: S, value: S["Encoded"]) =>
  schema.pipe(Schema.withDecodingDefaultKey(Effect.succeed(value)))

const Port = Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 65_535 }))

const Volume = Schema.Finite.check(Schema.isBetween({ minimum: 0, maximum: 2 }))
const Ratio = Schema.Finite.check(Schema.isBetween({ minimum: 0, maximum: 1 }))
const Address = Schema.String.check(Schema.isPattern(/^(https?:\/\/.+)?$/))
const Seconds = Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 600 }))
const chainOf = <const L extends ReadonlyArray<string>>(engines: L) =>
  withDefault(Schema.Struct({ chain: withDefault(Schema.Array(Schema.Literals(engines)), []) }), {})

/**
 * Where the providers are. A `chain` is what the engine `auto` stands for, best first: when one fails the next answers,
 * and the first is used again by itself once it works. Empty: the local engine (or the chat endpoint, if one is set).
 */
const Providers = Schema.Struct({
  /** Any OpenAI-compatible chat endpoint. Key: `chat`. */
  chat: withDefault(
    Schema.Struct({
      /** Up to and with `/v1`, such as `http://localhost:11434/v1`. */
      url: withDefault(Address, ""),
      model: withDefault(Schema.String, ""),
      timeoutSeconds: withDefault(Seconds, 60)
    }),
    {}
  ),
  /** Key: `openwebui`. */
  openwebui: withDefault(
    Schema.Struct({
      /** Without `/api`, such as `http://localhost:8080`. */
      url: withDefault(Address, ""),
      /** Empty, or unknown to the server: the first the server has. */
      model: withDefault(Schema.String, ""),
      /** Id of a knowledge collection that answers draw on; empty: none. */
      knowledge: withDefault(Schema.String, ""),
      timeoutSeconds: withDefault(Seconds, 60)
    }),
    {}
  ),
  /** OpenAI's, or any server with its audio endpoints. Key: `openai`. */
  openai: withDefault(
    Schema.Struct({
      url: withDefault(Address, "https://api.openai.com/v1"),
      transcriptionModel: withDefault(Schema.NonEmptyString, "whisper-1"),
      transcriptionTimeoutSeconds: withDefault(Seconds, 30),
      speechModel: withDefault(Schema.NonEmptyString, "tts-1"),
      speechVoice: withDefault(Schema.NonEmptyString, "alloy"),
      speechTimeoutSeconds: withDefault(Seconds, 45)
    }),
    {}
  ),
  /** Key: `elevenlabs`. */
  elevenlabs: withDefault(
    Schema.Struct({
      url: withDefault(Address, "https://api.elevenlabs.io"),
      /** Id of a voice; `voxbus providers voices` lists them. */
      voice: withDefault(Schema.NonEmptyString, "21m00Tcm4TlvDq8ikWAM"),
      model: withDefault(Schema.NonEmptyString, "eleven_flash_v2_5"),
      stability: withDefault(Ratio, 0.5),
      similarityBoost: withDefault(Ratio, 0.75),
      timeoutSeconds: withDefault(Seconds, 45)
    }),
    {}
  ),
  transcriber: chainOf(["ctranslate2", "whisper.cpp", "openai"]),
  reasoner: chainOf(["openwebui", "openai-compatible", "llama-local"]),
  speaker: chainOf(["elevenlabs", "openai-speech", "piper-local", "browser"]),
  circuit: withDefault(
    Schema.Struct({
      /** Failures in a row after which an engine of a chain is left alone ... */
      failures: withDefault(Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 100 })), 3),
      /** ... for so many seconds; then one request tries it again. */
      openSeconds: withDefault(Seconds, 30)
    }),
    {}
  ),
  /** Seconds between two looks at the providers that are configured; 0: none. */
  probeSeconds: withDefault(Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 3600 })), 60)
})
export type Providers = typeof Providers.Type

/** A server of tools (Model Context Protocol): a command to start, or an address. */
const McpServer = Schema.Struct({
  /** Begins the names of its tools. */
  name: Schema.String.check(Schema.isPattern(/^[A-Za-z0-9_-]{1,24}$/)),
  command: withDefault(Schema.String, ""),
  args: withDefault(Schema.Array(Schema.String), []),
  /** Names of variables that the command gets to see; it gets no others of ours but the usual ones such as `PATH`. */
  environment: withDefault(Schema.Array(Schema.String.check(Schema.isPattern(/^\w+$/))), []),
  url: withDefault(Address, ""),
  /** Name of the variable that holds the bearer token for the address. */
  tokenVariable: withDefault(Schema.String.check(Schema.isPattern(/^\w*$/)), "")
}).check(Schema.makeFilter(({ command, url }) => (command === "") !== (url === ""), { message: "either a command or a url" }))
export type McpServer = typeof McpServer.Type

/** The configuration file. */
export const SettingsFile = Schema.Struct({
  /** Of the file's format; older files are migrated when they are read. */
  version: withDefault(Schema.Literal(VERSION), VERSION),
  gateway: withDefault(
    Schema.Struct({
      /** TCP port; 0 takes a free one. */
      port: withDefault(Port, 8765),
      /** Address it listens on. Anything but loopback wants `tls`. */
      host: withDefault(Schema.NonEmptyString, "127.0.0.1"),
      /** Names other than loopback by which it may be called, such as `voxbus.example:8765`. */
      names: withDefault(Schema.Array(Schema.String), []),
      /** Largest upload, 10^6 bytes. */
      uploadMegabytes: withDefault(Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 100_000 })), 500),
      /** PEM files; both or neither. */
      tls: withDefault(Schema.Struct({ certificate: withDefault(Schema.String, ""), key: withDefault(Schema.String, "") }), {}),
      /** The Wyoming protocol of Home Assistant, on 127.0.0.1 (it has no passwords); 0: off. */
      wyoming: withDefault(Schema.Struct({ port: withDefault(Port, 0) }), {}),
      /** What clients may take of this machine. */
      limits: withDefault(
        Schema.Struct({
          /** Files that may be on their way at once. */
          uploadsAtOnce: withDefault(Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 100 })), 4),
          /** Expensive requests of a client in a minute. */
          requestsPerMinute: withDefault(Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 1_000_000 })), 60),
          /** WebSockets and event streams a client (token and address) may hold open. */
          socketsPerClient: withDefault(Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 10_000 })), 32),
          /** Conversations that a client may open in an hour. */
          conversationsPerHour: withDefault(Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 1_000_000 })), 600)
        }),
        {}
      )
    }),
    {}
  ),
  bus: withDefault(
    Schema.Struct({
      /**
       * An existing NATS with JetStream, `nats://[user:password@]host:4222` or `tls://...`; several nodes of a cluster
       * separated by commas. Empty starts one. Also `NATS_URL`.
       */
      url: withDefault(Schema.String, ""),
      /** A `.creds` file (JWT and seed) or a file with an NKey seed, for that server. */
      credentials: withDefault(Schema.String, ""),
      /** PEM files for TLS: the authority that signed the server's certificate; our own certificate and key. */
      caFile: withDefault(Schema.String, ""),
      certFile: withDefault(Schema.String, ""),
      keyFile: withDefault(Schema.String, ""),
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
      /** `off`: keys are kept in a sealed file of the home, also where the system has a keyring. */
      keyring: withDefault(Schema.Literals(["auto", "off"]), "auto"),
      /** How long the transcriber remembers what it heard, for the same audio with the same parameters; 0: not at all. In memory. */
      transcriptMinutes: withDefault(Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 1440 })), 0),
      /** Folder for finished calls; empty: `$VOXBUS_HOME/output`. */
      outputFolder: withDefault(Schema.String, "")
    }),
    {}
  ),
  output: withDefault(
    Schema.Struct({
      /** Write the recording as WAV beside the transcript; the bundle has it as Opus in any case. */
      audio: withDefault(Schema.Boolean, true)
    }),
    {}
  ),
  /** Finished calls go when a rule says so, the oldest first; pinned ones stay. 0: no such rule. */
  retention: withDefault(
    Schema.Struct({
      /** Calls older than so many days. */
      days: withDefault(Schema.Finite.check(Schema.isGreaterThanOrEqualTo(0)), 0),
      /** More calls than this. */
      calls: withDefault(Schema.Int.check(Schema.isGreaterThanOrEqualTo(0)), 0),
      /** More audio and files than this, 10^9 bytes. */
      gigabytes: withDefault(Schema.Finite.check(Schema.isGreaterThanOrEqualTo(0)), 0)
    }),
    {}
  ),
  provider: withDefault(Providers, {}),
  /** How events are delivered to webhooks; `voxbus webhooks` makes those. */
  webhooks: withDefault(
    Schema.Struct({
      /** Tries before an event goes to the dead letters; with the pauses below they take four hours. */
      attempts: withDefault(Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 1000 })), 24),
      /** Seconds before the second try; doubled each time, up to the longest. */
      firstPauseSeconds: withDefault(Schema.Finite.check(Schema.isBetween({ minimum: 0.01, maximum: 3600 })), 1),
      longestPauseSeconds: withDefault(Schema.Finite.check(Schema.isBetween({ minimum: 0.01, maximum: 86_400 })), 900),
      /** Seconds for one try. */
      timeoutSeconds: withDefault(Seconds, 10)
    }),
    {}
  ),
  telemetry: withDefault(
    Schema.Struct({
      /** Where traces go, over OTLP with HTTP: `http://localhost:4318`. Empty: nowhere. Names of stages and times, no content. */
      otlpUrl: withDefault(Address, ""),
      /** Answer `/metrics` without a token to programs of this machine. */
      openMetrics: withDefault(Schema.Boolean, false)
    }),
    {}
  ),
  reasoner: withDefault(
    Schema.Struct({
      /** Servers whose tools a session may use that has `mcp` among its tools. */
      mcp: withDefault(Schema.Array(McpServer).check(Schema.isMaxLength(16)), [])
    }),
    {}
  ),
  ui: withDefault(
    Schema.Struct({
      theme: withDefault(Schema.Literals(["light", "dark", "system"]), "system"),
      showTranscription: withDefault(Schema.Boolean, true),
      showTimestamps: withDefault(Schema.Boolean, false),
      /** Held to talk, where the page or a desktop wrapper can take a key. */
      pushToTalkKey: withDefault(Schema.NonEmptyString, "Ctrl+Shift+Space"),
      /** Ids the browser gives to devices; empty: its default. */
      microphone: withDefault(Schema.String, ""),
      speaker: withDefault(Schema.String, ""),
      /** 1 is unchanged. */
      inputVolume: withDefault(Volume, 1),
      outputVolume: withDefault(Volume, 1)
    }),
    {}
  ),
  /** How people and the assistant take turns. Times are milliseconds of the audio. */
  conversation: withDefault(
    Schema.Struct({
      /** Hands-free: a pause this long is the end of what was said. */
      silenceMs: withDefault(Schema.Int.check(Schema.isBetween({ minimum: 100, maximum: 10_000 })), 600),
      /** Hands-free: less speech than this is a noise. */
      minSpeechMs: withDefault(Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 10_000 })), 200),
      /** Hands-free: after so long a question ends, pause or not. */
      maxSeconds: withDefault(Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 300 })), 60),
      /** Speech this long ends the answer it interrupts, also before there are words. */
      interruptMs: withDefault(Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 10_000 })), 1_000),
      /** A turn without an event for so long ends in a message to the user. */
      patienceSeconds: withDefault(Seconds, 30)
    }),
    {}
  ),
  log: withDefault(
    Schema.Struct({
      /** `auto`: what is long-running says what it does, a command only what goes wrong. Also `VOXBUS_LOG_LEVEL`. */
      level: withDefault(Schema.Literals(["auto", "debug", "info", "warning", "error", "none"]), "auto")
    }),
    {}
  ),
  recording: withDefault(
    Schema.Struct({
      /** Devices that may be recorded: parts of their id or name, `*` for any text. What is in neither list is blocked. */
      allow: withDefault(Schema.Array(Schema.NonEmptyString), []),
      /** Devices that may not, whatever `allow` says. */
      block: withDefault(Schema.Array(Schema.NonEmptyString), []),
      /** Hertz of a recording from a device. */
      sampleRate: withDefault(Schema.Literals([16_000, 24_000, 44_100, 48_000]), 48_000),
      /** How long a lost device or client is waited for, before the call is closed and finished. */
      graceSeconds: withDefault(Schema.Finite.check(Schema.isBetween({ minimum: 0, maximum: 86_400 })), 60),
      /** How long a discarded recording can be restored. */
      undoSeconds: withDefault(Schema.Finite.check(Schema.isBetween({ minimum: 0, maximum: 86_400 })), 30),
      /** Free space below which a recording is closed, so that it can still be finished. */
      minFreeMb: withDefault(Schema.Finite.check(Schema.isGreaterThanOrEqualTo(0)), 200),
      /** Calls of other programs (who uses a microphone): `notify` says so, `ask` also asks whether to record. Read at the start. */
      detect: withDefault(Schema.Literals(["off", "notify", "ask"]), "off"),
      /** How long a program must listen for a call, and be silent for its end. */
      detectSeconds: withDefault(Schema.Finite.check(Schema.isBetween({ minimum: 0.1, maximum: 600 })), 3),
      /** Parts of the names of programs that count; empty: all. */
      detectApps: withDefault(Schema.Array(Schema.NonEmptyString), []),
      /** What records a call after a yes: an id of `devices.list`; the guard decides as ever. */
      detectDevice: withDefault(Schema.NonEmptyString, "default")
    }),
    {}
  ),
  jobs: withDefault(
    Schema.Struct({
      /** Calls from files that are worked on at once; 0: half as many as there are cores, at least 2. */
      concurrency: withDefault(Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 64 })), 0)
    }),
    {}
  ),
  session: withDefault(SessionConfig, {})
})
export type SettingsFile = typeof SettingsFile.Type
