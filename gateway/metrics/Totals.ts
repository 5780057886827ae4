/** Totals of all processes of all actors: of each process the newest it said, of those that are gone the last. */
import type { Counted, CountsReport } from "../../kernel/Counts.ts"

/** Processes remembered one by one; older ones are added up. */
const REMEMBERED = 500

export type Counts = Readonly<Record<Counted, number>>

const NONE: Counts = { handled: 0, failed: 0, retried: 0, dead: 0 }

const plus = (a: Counts, b: Counts): Counts => ({
  handled: a.handled + b.handled,
  failed: a.failed + b.failed,
  retried: a.retried + b.retried,
  dead: a.dead + b.dead
})

export const makeTotals = () => {
  const reports = new Map<string, CountsReport>()
  const gone = new Map<string, Counts>()
  return {
    take: (report: CountsReport): void => {
      const key = `${report.actor} ${report.instance}`
      reports.delete(key)
      reports.set(key, report)
      const [oldest] = reports
      if (reports.size <= REMEMBERED || oldest === undefined) return
      reports.delete(oldest[0])
      gone.set(oldest[1].actor, plus(gone.get(oldest[1].actor) ?? NONE, oldest[1].counts))
    },
    byActor: (): ReadonlyMap<string, Counts> => {
      const sums = new Map(gone)
      for (const { actor, counts } of reports.values()) sums.set(actor, plus(sums.get(actor) ?? NONE, counts))
      return sums
    }
  }
}

export type Totals = ReturnType<typeof makeTotals>
