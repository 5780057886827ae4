/**
 * What the actors of a process have done, told to whoever collects it. Each process counts for itself and says its totals
 * beside the log, on `metrics.actor.<actor>`, every two seconds when they changed: a collector that comes late has them
 * all, and one that misses a message misses nothing. A process that is killed takes its last two seconds of counts along;
 * the log has what it did.
 */
import * as Effect from "effect/Effect"
import * as Metric from "effect/Metric"
import * as Schedule from "effect/Schedule"
import * as Schema from "effect/Schema"
import { ulid } from "ulid"
import { metricsSubject } from "../contract/Subjects.ts"
import { Bus } from "./Bus.ts"

/** Events that were settled, failures, tries that follow from them, and events that were given up. */
export const COUNTED = ["handled", "failed", "retried", "dead"] as const
export type Counted = (typeof COUNTED)[number]

const Count = Schema.Int.check(Schema.isGreaterThanOrEqualTo(0))

export const CountsReport = Schema.Struct({
  actor: Schema.NonEmptyString,
  /** Of the process: its totals begin at 0. */
  instance: Schema.NonEmptyString,
  counts: Schema.Struct({ handled: Count, failed: Count, retried: Count, dead: Count })
})
export type CountsReport = typeof CountsReport.Type

export const counterName = (counted: Counted): string => `voxbus_${counted}_total`

/** The counter of an actor in this process. */
export const counter = (counted: Counted, actor: string) =>
  Metric.withAttributes(Metric.counter(counterName(counted), { incremental: true }), { actor })

/** Totals of this process, by actor. */
export const countsHere = Effect.map(Metric.snapshot, (all) => {
  const counts = new Map<string, Record<Counted, number>>()
  for (const metric of all) {
    const counted = COUNTED.find((each) => counterName(each) === metric.id)
    const actor = metric.attributes?.["actor"]
    if (metric.type !== "Counter" || counted === undefined || typeof actor !== "string") continue
    const known = counts.get(actor) ?? { handled: 0, failed: 0, retried: 0, dead: 0 }
    counts.set(actor, { ...known, [counted]: Number(metric.state.count) })
  }
  return counts
})

const EVERY = "2 seconds"
/** Rounds after which totals that did not change are said again. */
const AGAIN = 5

/** Says the totals of this process until the scope closes, and once more then. */
export const reportCounts = Effect.gen(function* () {
  const bus = yield* Bus
  const instance = ulid()
  const said = new Map<string, string>()
  let round = 0
  const say = Effect.fnUntraced(function* (all: boolean) {
    for (const [actor, counts] of yield* countsHere) {
      const text = JSON.stringify({ actor, instance, counts } satisfies CountsReport)
      if (!all && said.get(actor) === text) continue
      said.set(actor, text)
      yield* bus.shout(metricsSubject(actor), new TextEncoder().encode(text))
    }
  })
  yield* Effect.addFinalizer(() => say(true).pipe(Effect.timeoutOption("1 second"), Effect.asVoid))
  yield* Effect.suspend(() => say(round++ % AGAIN === 0)).pipe(Effect.repeat(Schedule.spaced(EVERY)), Effect.forkScoped)
})
