/** The real program that can be killed with everything below it, and started again on the same home and port. */
import { once } from "node:events"
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { type Running, startProgram, TESTKIT_ENGINES } from "./program.ts"

/** The test kit's engines, all in one process: the program is ready in a second. */
export const TEST_PROGRAM = { ...TESTKIT_ENGINES, VOXBUS_ISOLATE: "none" } as const

export interface Restartable {
  readonly running: () => Running
  readonly door: () => { readonly url: string; readonly token: string }
  /** SIGKILL; its children end by themselves. */
  readonly kill: () => Promise<void>
  readonly restart: () => Promise<void>
  readonly stop: () => Promise<number>
}

export const restartable = async (extra: NodeJS.ProcessEnv = {}, config: object = {}): Promise<Restartable> => {
  let current = await startProgram(extra, config)
  const { home } = current
  return {
    running: () => current,
    door: () => ({ url: current.gateway, token: readFileSync(join(home, "token"), "utf8").trim() }),
    kill: async () => {
      const gone = once(current.child, "exit")
      current.child.kill("SIGKILL")
      await gone
    },
    restart: async () => {
      current = await startProgram(extra, undefined, home)
    },
    stop: () => current.stop()
  }
}
