/**
 * What a process and everything it started hold in memory, from `/proc` (Linux only).
 *
 * RSS counts a shared page in every process that maps it; PSS (proportional set size) divides it by how many do, so the
 * sum of PSS over a tree is what the tree costs. Pages of files that only the cache holds are in neither.
 */
import { readdirSync, readFileSync } from "node:fs"
import { basename } from "node:path"

export interface ProcessMemory {
  readonly pid: number
  readonly name: string
  /** MB, 10^6 bytes. */
  readonly rss: number
  readonly pss: number
  /** Of the PSS: heap, stacks and what else belongs to no file. */
  readonly anonymous: number
}

const read = (path: string): string => {
  try {
    return readFileSync(path, "utf8")
  } catch {
    // It ended in the meantime.
    return ""
  }
}

const parentOf = (pid: number): number => {
  const stat = read(`/proc/${pid}/stat`)
  return Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1] ?? 0)
}

/** The process and its descendants. */
export const treeOf = (root: number): ReadonlyArray<number> => {
  const pids = readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
  const parents = new Map(pids.map((pid) => [pid, parentOf(pid)]))
  const below = (pid: number): ReadonlyArray<number> => [pid, ...pids.filter((other) => parents.get(other) === pid).flatMap(below)]
  return below(root)
}

/** An actor's process by the actor, anything else by its program or script. */
const nameOf = (pid: number): string => {
  const [program = "", ...args] = read(`/proc/${pid}/cmdline`).split("\0")
  // The shell that ends nats-server when the launcher is killed.
  if (basename(program) === "sh") return "nats-server guard"
  const before = args.findIndex(
    (argument, index) => /worker\.ts$/.test(argument) || (argument === "run" && /main\.ts$/.test(args[index - 1] ?? ""))
  )
  if (before >= 0) return args[before + 1] ?? program
  const script = args.find((argument) => /\.(ts|mjs|py)$/.test(argument))
  return basename(script ?? program).replace(/^voxbus\.mjs$|^main\.ts$/, "launcher")
}

const megabytes = (rollup: string, field: string): number => {
  const kibibytes = new RegExp(`^${field}:\\s+(\\d+) kB`, "m").exec(rollup)?.[1]
  return Math.round((Number(kibibytes ?? 0) * 1024) / 1e5) / 10
}

export const memoryOf = (pids: ReadonlyArray<number>): ReadonlyArray<ProcessMemory> =>
  pids.flatMap((pid) => {
    const rollup = read(`/proc/${pid}/smaps_rollup`)
    return rollup === ""
      ? []
      : [{ pid, name: nameOf(pid), rss: megabytes(rollup, "Rss"), pss: megabytes(rollup, "Pss"), anonymous: megabytes(rollup, "Pss_Anon") }]
  })

/** Resident megabytes of one process, read in microseconds: for sampling. */
export const rssOf = (pid: number): number => megabytes(read(`/proc/${pid}/status`), "VmRSS")
