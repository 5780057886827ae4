/**
 * One Voxbus per home. `instance.json` says which process runs it and where its doors are; other commands find it there.
 *
 * A process that was killed leaves the file behind. It does not get in the way: the pid is checked, and on Linux also
 * when that process began, so a pid that is in use again by another program is not mistaken for ours.
 */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schedule from "effect/Schedule"
import * as Schema from "effect/Schema"
import { linkSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { describe, systemCode, Terminal } from "../kernel/Failure.ts"

export const InstanceInfo = Schema.Struct({
  pid: Schema.Int,
  /** Start of the process in clock ticks since boot (Linux), else 0. */
  began: Schema.Int,
  /** `start` stays; `command` goes away when its own work is done. */
  kind: Schema.Literals(["start", "command"]),
  busUrl: Schema.String,
  /** Empty while it starts, and where there is no gateway. */
  gatewayUrl: Schema.String
})
export type InstanceInfo = typeof InstanceInfo.Type

const fileOf = (home: string) => join(home, "instance.json")

/** Field 22 of `/proc/<pid>/stat`, counted after the program's name, which may hold spaces. */
const beganOf = (pid: number): number => {
  if (process.platform !== "linux") return 0
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8")
    return Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19] ?? 0)
  } catch {
    return -1
  }
}

const isAlive = (info: InstanceInfo): boolean => {
  try {
    process.kill(info.pid, 0)
    return beganOf(info.pid) === info.began
  } catch (cause) {
    return systemCode(cause) === "EPERM"
  }
}

const decode = Schema.decodeUnknownOption(Schema.fromJsonString(InstanceInfo))

/** The instance that runs on this home, if one does. */
export const findInstance = (home: string): InstanceInfo | undefined => {
  try {
    const info = decode(readFileSync(fileOf(home), "utf8"))
    return Option.isSome(info) && isAlive(info.value) ? info.value : undefined
  } catch {
    return undefined
  }
}

/** Writes a file of our own, then links it into place: exactly one of several processes succeeds. */
const tryLock = (home: string, info: InstanceInfo): boolean => {
  const draft = `${fileOf(home)}.${process.pid}`
  writeFileSync(draft, JSON.stringify(info), { mode: 0o600 })
  try {
    linkSync(draft, fileOf(home))
    return true
  } catch (cause) {
    if (systemCode(cause) !== "EEXIST") throw cause
    if (findInstance(home) !== undefined) return false
    rmSync(fileOf(home), { force: true })
    return tryLock(home, info)
  } finally {
    rmSync(draft, { force: true })
  }
}

export interface OwnInstance {
  readonly announce: (doors: { readonly busUrl: string; readonly gatewayUrl: string }) => Effect.Effect<void>
}

/**
 * Takes the home for this process until the scope closes. A command that works on the same home is waited for; a
 * running `voxbus start` is a failure (`instance.running`).
 */
export const takeHome = Effect.fnUntraced(function* (home: string, kind: InstanceInfo["kind"]) {
  const info = { pid: process.pid, began: beganOf(process.pid), kind, busUrl: "", gatewayUrl: "" }
  const lock = Effect.try({
    try: () => {
      mkdirSync(home, { recursive: true, mode: 0o700 })
      return tryLock(home, info)
    },
    catch: (cause) => new Terminal({ code: "config.invalid", message: `VOXBUS_HOME (${home}) cannot be used: ${describe(cause)}`, cause })
  })
  const wait = Effect.gen(function* () {
    if (yield* lock) return true
    if (findInstance(home)?.kind === "start") {
      return yield* new Terminal({ code: "instance.running", message: `Voxbus is already running on ${home}.` })
    }
    return false
  })
  let said = false
  yield* wait.pipe(
    Effect.tap((locked) =>
      Effect.suspend(() => {
        if (locked || said) return Effect.void
        said = true
        return Effect.logWarning("another voxbus command works on this home; waiting for it")
      })
    ),
    Effect.repeat({ until: (locked) => locked, schedule: Schedule.spaced("250 millis") })
  )
  yield* Effect.addFinalizer(() => Effect.sync(() => rmSync(fileOf(home), { force: true })))
  const own: OwnInstance = {
    announce: (doors) =>
      Effect.sync(() => {
        const draft = `${fileOf(home)}.${process.pid}`
        writeFileSync(draft, JSON.stringify({ ...info, ...doors }), { mode: 0o600 })
        renameSync(draft, fileOf(home))
      })
  }
  return own
})
