/**
 * The embedded nats-server: a supervised child on a loopback port, its state below `$VOXBUS_HOME/nats`.
 *
 * The port is random at the first start and kept, so that workers started by hand find the server again after a
 * restart. `sync_interval: always` makes an acknowledged event one that survives a power cut. A server left behind by
 * a launcher that was killed is ended first (its pid file names it).
 */
import { withoutKeys } from "../Keys.ts"
import * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Queue from "effect/Queue"
import * as Schedule from "effect/Schedule"
import * as Semaphore from "effect/Semaphore"
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs"
import { createConnection, createServer } from "node:net"
import { join } from "node:path"
import { spawnGuarded } from "../Guard.ts"
import { describe, type Failure, Retryable, Terminal } from "../Failure.ts"
import { keepRunning } from "../KeepRunning.ts"
import type { Permissions } from "./Credentials.ts"
import { type Canary, freshCanary, reloaded } from "./Reload.ts"

export interface User {
  readonly name: string
  readonly password: string
  /** Everything when absent. */
  readonly permissions?: Permissions
}

export interface ServerOptions {
  readonly binary: string
  /** Folder for configuration, pid file, log and the JetStream store. */
  readonly folder: string
  readonly users: ReadonlyArray<User>
  /** `always` by default; tests of throughput may choose seconds. */
  readonly sync?: string
}

/** Milliseconds before a server that was killed is started again. */
const PAUSE_MS = 20
/** Times in a row that it may end right after its start, before `voxbus start` gives up. Later it is tried for ever. */
const START_TRIES = 5

const quoted = (text: string) => JSON.stringify(text)
const list = (subjects: ReadonlyArray<string>) => `[${subjects.map(quoted).join(", ")}]`

const userLine = ({ name, password, permissions }: User) =>
  permissions === undefined
    ? `    { user: ${quoted(name)}, password: ${quoted(password)} }`
    : `    { user: ${quoted(name)}, password: ${quoted(password)}, permissions: { publish: { allow: ${list(permissions.publish)}${permissions.denied === undefined ? "" : `, deny: ${list(permissions.denied)}`} }, subscribe: { allow: ${list(permissions.subscribe)} } } }`

/** One key per line inside `jetstream`: on a single line the server's parser fails. */
const configuration = ({ folder, users, sync }: ServerOptions, port: number, canary: Canary) => `server_name: voxbus
host: "127.0.0.1"
port: ${port}
pid_file: ${quoted(join(folder, "nats.pid"))}
log_file: ${quoted(join(folder, "nats.log"))}
logfile_size_limit: 10MB
logfile_max_num: 2
max_control_line: 16KB
jetstream {
  store_dir: ${quoted(join(folder, "store"))}
  sync_interval: ${quoted(sync ?? "always")}
  max_memory_store: 1GB
}
authorization {
  users: [
${[...users, canary].map(userLine).join("\n")}
  ]
}
`

/** Whole or not at all: the server may read it at any moment. */
const writePrivate = (path: string, text: string) => {
  writeFileSync(`${path}.new`, text, { mode: 0o600 })
  renameSync(`${path}.new`, path)
}

/** A free loopback port: the one asked for if nobody has it. */
const freePort = (preferred: number) =>
  Effect.callback<number, Retryable>((resume) => {
    const probe = createServer()
    probe.once("error", (cause) =>
      resume(Effect.fail(new Retryable({ code: "instance.port_taken", message: `No loopback port is free: ${describe(cause)}`, cause })))
    )
    probe.listen(preferred, "127.0.0.1", () => {
      const address = probe.address()
      const port = typeof address === "object" && address !== null ? address.port : 0
      probe.close(() => resume(Effect.succeed(port)))
    })
  })

const answers = (port: number) =>
  Effect.callback<void, Retryable>((resume) => {
    const socket = createConnection(port, "127.0.0.1")
    const no = (cause: unknown) =>
      resume(
        Effect.fail(
          new Retryable({ code: "bus.unavailable", message: `nats-server does not answer on port ${port}: ${describe(cause)}`, cause })
        )
      )
    socket.setTimeout(1_000, () => socket.destroy(new Error("timeout")))
    socket.once("error", no)
    // The server speaks first ("INFO {...}"), and only when it is ready.
    socket.once("data", () => {
      socket.destroy()
      resume(Effect.void)
    })
    return Effect.sync(() => socket.destroy())
  })

const numberIn = (path: string): number | undefined => {
  if (!existsSync(path)) return undefined
  const value = Number.parseInt(readFileSync(path, "utf8"), 10)
  return Number.isNaN(value) ? undefined : value
}

/** True when `pid` is a nats-server that was started for this folder; pids are used again by other programs. */
const isOurs = (pid: number, folder: string): boolean => {
  try {
    process.kill(pid, 0)
    if (process.platform !== "linux") return true
    return readFileSync(`/proc/${pid}/cmdline`, "utf8").includes(join(folder, "nats.conf"))
  } catch {
    return false
  }
}

const endOrphan = Effect.fnUntraced(function* (folder: string) {
  const pid = numberIn(join(folder, "nats.pid"))
  if (pid === undefined || !isOurs(pid, folder)) return
  yield* Effect.logWarning("ending a nats-server left behind by a launcher that was killed").pipe(Effect.annotateLogs({ pid }))
  yield* Effect.sync(() => process.kill(pid, "SIGTERM"))
  yield* Effect.suspend(() => (isOurs(pid, folder) ? Effect.fail("alive" as const) : Effect.void)).pipe(
    Effect.retry(Schedule.spaced("50 millis").pipe(Schedule.upTo({ duration: "5 seconds" }))),
    Effect.catch(() => Effect.sync(() => process.kill(pid, "SIGKILL")))
  )
})

/** Runs the server until it stops; fails with the last line of its log when it does. */
const runOnce = (options: ServerOptions) =>
  Effect.callback<never, Retryable>((resume) => {
    const child = spawnGuarded(options.binary, ["-c", join(options.folder, "nats.conf")], { env: withoutKeys(process.env) })
    let said = ""
    const keep = (text: string) => (said = (said + text).slice(-2_000))
    child.stdout?.setEncoding("utf8").on("data", keep)
    child.stderr?.setEncoding("utf8").on("data", keep)
    child.once("error", (cause) =>
      resume(Effect.fail(new Retryable({ code: "bus.unavailable", message: `nats-server cannot be started: ${describe(cause)}`, cause })))
    )
    child.once("exit", (code, signal) =>
      resume(
        Effect.fail(
          new Retryable({
            code: "bus.unavailable",
            message: `nats-server stopped (${signal ?? `exit ${code}`}). ${said.trim().split("\n").at(-1) ?? ""}`
          })
        )
      )
    )
    return Effect.callback<void>((done) => {
      if (child.exitCode !== null || child.signalCode !== null) return done(Effect.void)
      child.once("exit", () => done(Effect.void))
      child.stdin?.end()
      child.kill("SIGTERM")
    }).pipe(Effect.timeoutOption("6 seconds"))
  })

export class NatsServer extends Context.Service<
  NatsServer,
  {
    readonly url: string
    /** One entry each time it ended: what it held in memory, streams included, is gone and has to be set up again. */
    readonly ended: Queue.Queue<undefined>
    /** Other users from now on. Connections of those that stay are kept; of those that went they are closed. */
    readonly reload: (users: ReadonlyArray<User>) => Effect.Effect<void, Failure>
  }
>()("voxbus/nats/Server") {
  static readonly layer = (options: ServerOptions): Layer.Layer<NatsServer, Retryable | Terminal> =>
    Layer.effect(NatsServer, start(options))
}

const start = Effect.fnUntraced(function* (options: ServerOptions) {
  const { folder } = options
  yield* Effect.try({
    try: () => mkdirSync(folder, { recursive: true, mode: 0o700 }),
    catch: (cause) => new Terminal({ code: "input.missing", message: `${folder} cannot be made: ${describe(cause)}`, cause })
  })
  yield* endOrphan(folder)
  const portFile = join(folder, "port")
  const port = yield* freePort(numberIn(portFile) ?? 0).pipe(Effect.catch(() => freePort(0)))
  writeFileSync(portFile, String(port))
  const configFile = join(folder, "nats.conf")
  writeFileSync(configFile, configuration(options, port, freshCanary()), { mode: 0o600 })
  const failed = yield* Deferred.make<never, Retryable>()
  const ended = yield* Queue.unbounded<undefined>()
  yield* keepRunning(
    runOnce(options),
    (failure, failures) =>
      Effect.logWarning("nats-server stopped; starting it again").pipe(
        Effect.annotateLogs({ reason: failure.message }),
        Effect.andThen(Queue.offer(ended, undefined)),
        Effect.andThen(failures > START_TRIES ? Deferred.fail(failed, failure) : Effect.void)
      ),
    PAUSE_MS
  ).pipe(Effect.forkScoped)
  yield* answers(port).pipe(
    Effect.retry(Schedule.spaced("15 millis").pipe(Schedule.upTo({ duration: "20 seconds" }))),
    Effect.raceFirst(Deferred.await(failed))
  )
  const oneAtATime = yield* Semaphore.make(1)
  const reload = (users: ReadonlyArray<User>) =>
    Effect.suspend(() => {
      const canary = freshCanary()
      writePrivate(configFile, configuration({ ...options, users }, port, canary))
      const pid = numberIn(join(folder, "nats.pid"))
      return reloaded(port, canary, pid !== undefined && isOurs(pid, folder) ? pid : undefined)
    }).pipe(oneAtATime.withPermits(1))
  return NatsServer.of({ url: `nats://127.0.0.1:${port}`, ended, reload })
})
