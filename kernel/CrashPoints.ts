/**
 * Where the crash test kills an actor. `VOXBUS_CRASH_FOLDER` names a folder, and only then is anything here alive: an
 * actor that comes to a point for which the folder holds a file `<actor>.<point>` takes the file and kills its own
 * process, as SIGKILL from outside would, but exactly there. Without the variable a point is an empty function.
 *
 * `VOXBUS_CRASH_SABOTAGE` (with the folder) breaks the runtime on purpose, to prove that the test can fail: `no-ids`
 * publishes without message ids and without "once", `ack-first` acknowledges before the work.
 */
import { renameSync, writeFileSync } from "node:fs"
import { join } from "node:path"

/** In the order in which a unit of work passes them. `during-publish`: between two outputs of one input. */
export const CRASH_POINTS = ["before-work", "before-publish", "during-publish", "before-ack"] as const
export type CrashPoint = (typeof CRASH_POINTS)[number]

export const SABOTAGES = ["no-ids", "ack-first"] as const
export type Sabotage = (typeof SABOTAGES)[number]

const folder = process.env["VOXBUS_CRASH_FOLDER"] ?? ""

/** The file that arms a point, and the one that the process leaves: its pid and the moment, epoch milliseconds. */
export const armedFile = (into: string, actor: string, point: CrashPoint): string => join(into, `${actor}.${point}`)
export const firedFile = (into: string, actor: string, point: CrashPoint): string => `${armedFile(into, actor, point)}.fired`

const die = (actor: string, point: CrashPoint): void => {
  try {
    // Of several processes of one actor the rename lets one through.
    renameSync(armedFile(folder, actor, point), firedFile(folder, actor, point))
  } catch {
    return
  }
  writeFileSync(firedFile(folder, actor, point), `${process.pid} ${performance.timeOrigin + performance.now()}`)
  process.kill(process.pid, "SIGKILL")
}

export const crashAt: (actor: string, point: CrashPoint) => void = folder === "" ? () => undefined : die

const asked = process.env["VOXBUS_CRASH_SABOTAGE"]
export const sabotage: Sabotage | undefined = folder === "" ? undefined : SABOTAGES.find((each) => each === asked)
