/**
 * The program under test: the real launcher with every actor in a process of its own and the test-kit engines, on a home
 * of its own. It can be killed in all its parts, and started again.
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import { type ChildProcess, spawn } from "node:child_process"
import { randomUUID } from "node:crypto"
import { closeSync, mkdirSync, openSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { armedFile, type CrashPoint, firedFile, type Sabotage } from "../../kernel/CrashPoints.ts"
import { Terminal } from "../../kernel/Failure.ts"
import { cache } from "../support/server.ts"
import { descendants, MAIN } from "../support/program.ts"

export interface Instance {
  readonly home: string
  readonly outputFolder: string
  /** Starts the launcher; returns when it is ready. */
  readonly start: Effect.Effect<void, Terminal>
  /** Each kill returns the moment, epoch milliseconds; `undefined` when there was nothing to kill. */
  readonly killLauncher: Effect.Effect<number | undefined>
  readonly killServer: Effect.Effect<number | undefined>
  readonly killActor: (actor: string) => Effect.Effect<number | undefined>
  /**
   * Looks up all processes, and returns what kills them in one go: looking takes longer under load, and the moment counts.
   * It is that of the launcher, which holds the recorder.
   */
  readonly killer: Effect.Effect<Effect.Effect<number | undefined>>
  /** Lets the actor kill itself at the point; `undefined` when it did not come there in time. */
  readonly killAt: (actor: string, point: CrashPoint, patienceMs: number) => Effect.Effect<number | undefined>
  readonly stop: Effect.Effect<void>
}

const READY_MS = 90_000

const kill = (pid: number | undefined) =>
  Effect.gen(function* () {
    if (pid === undefined || Number.isNaN(pid)) return undefined
    const killed = yield* Effect.sync(() => {
      try {
        return process.kill(pid, "SIGKILL")
      } catch {
        return false
      }
    })
    return killed ? yield* Clock.currentTimeMillis : undefined
  })

const readOr = (path: string): string => {
  try {
    return readFileSync(path, "utf8")
  } catch {
    return ""
  }
}

/** @param folder everything is below it; `log` in it has what all processes say */
export const makeInstance = (folder: string, sabotage?: Sabotage): Instance => {
  const home = join(folder, "home")
  const points = join(folder, "points")
  const outputFolder = join(home, "output")
  mkdirSync(points, { recursive: true })
  const environment: NodeJS.ProcessEnv = {
    ...process.env,
    VOXBUS_HOME: home,
    VOXBUS_CACHE: cache,
    VOXBUS_CORES_NAME: `voxbus-crash-${randomUUID()}`,
    VOXBUS_ISOLATE: "all",
    // As many calls at once as are asked for, and so as many kills in the middle of one.
    VOXBUS_JOBS_CONCURRENCY: "5",
    // Conversations must survive a kill of the server here, so that they can be audited.
    VOXBUS_KEEP_CONVERSATIONS: "true",
    VOXBUS_TRANSCRIBER_ENGINE: "testkit",
    VOXBUS_REASONER_ENGINE: "testkit",
    VOXBUS_SPEAKER_ENGINE: "testkit",
    VOXBUS_OUTPUT_FOLDER: outputFolder,
    VOXBUS_OFFLINE: "true",
    VOXBUS_LOG_LEVEL: "info",
    VOXBUS_CRASH_FOLDER: points,
    ...(sabotage === undefined ? {} : { VOXBUS_CRASH_SABOTAGE: sabotage })
  }
  let launcher: ChildProcess | undefined

  const start = Effect.callback<void, Terminal>((resume) => {
    const log = openSync(join(folder, "log"), "a")
    const child = spawn(process.execPath, [MAIN, "start", "--port", "0", "--json"], { env: environment, stdio: ["ignore", "pipe", log] })
    closeSync(log)
    launcher = child
    child.stdout?.setEncoding("utf8").on("data", (text: string) => {
      if (text.includes('"ready":true')) resume(Effect.void)
    })
    child.once("exit", (code, signal) =>
      resume(
        Effect.fail(
          new Terminal({ code: "instance.failed", message: `voxbus start ended with ${signal ?? code}; see ${join(folder, "log")}` })
        )
      )
    )
  }).pipe(
    Effect.timeoutOrElse({
      duration: READY_MS,
      orElse: () => Effect.fail(new Terminal({ code: "instance.failed", message: `voxbus start was not ready within ${READY_MS} ms` }))
    })
  )

  const pidOf = (actor: string) =>
    launcher?.pid === undefined ? undefined : descendants(launcher.pid).find(({ command }) => command.endsWith(`worker.ts ${actor}`))?.pid

  return {
    home,
    outputFolder,
    start,
    killLauncher: Effect.suspend(() => kill(launcher?.pid)),
    killServer: Effect.suspend(() => kill(Number.parseInt(readOr(join(home, "nats", "nats.pid")), 10))),
    killActor: (actor) => Effect.suspend(() => kill(pidOf(actor))),
    killer: Effect.sync(() => {
      const pid = launcher?.pid
      const below = pid === undefined ? [] : descendants(pid).map((each) => each.pid)
      return kill(pid).pipe(Effect.tap(() => Effect.forEach(below, kill, { discard: true })))
    }),
    killAt: Effect.fnUntraced(function* (actor, point, patienceMs) {
      const [armed, fired] = [armedFile(points, actor, point), firedFile(points, actor, point)]
      rmSync(fired, { force: true })
      writeFileSync(`${armed}.draft`, "")
      renameSync(`${armed}.draft`, armed)
      const moment = Effect.sync(() => Number(readOr(fired).split(" ")[1] ?? Number.NaN))
      for (let waited = 0; waited < patienceMs; waited += 20) {
        const at = yield* moment
        if (!Number.isNaN(at)) return at
        yield* Effect.sleep("20 millis")
      }
      rmSync(armed, { force: true })
      yield* Effect.sleep("50 millis")
      const late = yield* moment
      return Number.isNaN(late) ? undefined : late
    }),
    stop: Effect.callback<void>((resume) => {
      if (launcher === undefined || launcher.exitCode !== null || launcher.signalCode !== null) return resume(Effect.void)
      launcher.once("exit", () => resume(Effect.void))
      launcher.kill("SIGTERM")
    }).pipe(Effect.timeoutOption("20 seconds"), Effect.asVoid)
  }
}
