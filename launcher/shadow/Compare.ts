/** What a shadow made of the same input as its actor: words that differ, time that each took. */
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import type { Comparison } from "../../contract/ActorCommands.ts"
import type { Event } from "../../contract/Events.ts"
import type { SessionId } from "../../contract/Session.ts"
import { eventStream, HEADERS, sessionFilters, shadowSubject } from "../../contract/Subjects.ts"
import { Bus, type Recorded } from "../../kernel/Bus.ts"
import { DEAD, ownerOf } from "../../kernel/DeadLetters.ts"
import { compareTexts, decoded } from "../replay/Compare.ts"

const SESSIONS = 100

const causeOf = ({ headers }: Recorded): string => headers[HEADERS.cause] ?? ""
const placeOf = ({ stream, sequence }: Recorded): string => `${stream}:${sequence}`
const sequenceOf = (place: string): number => Number(place.split(":")[1] ?? 0)
const isError = ({ subject }: Recorded): boolean => subject.startsWith("error.")

/** The outputs of one side, by the input that they came of. */
type Work = ReadonlyMap<string, ReadonlyArray<Recorded>>
const workOf = (records: ReadonlyArray<Recorded>): Work => Map.groupBy(records, causeOf)

interface Pace {
  readonly ms: Array<number>
  computeMs: number
}

const quantile = (values: ReadonlyArray<number>, ratio: number): number => {
  const sorted = values.toSorted((a, b) => a - b)
  return Math.round((sorted[Math.max(0, Math.ceil(sorted.length * ratio) - 1)] ?? 0) * 10) / 10
}

const paceReply = ({ ms, computeMs }: Pace) => ({ p50: quantile(ms, 0.5), p95: quantile(ms, 0.95), computeMs: Math.round(computeMs) })

const compute = (events: ReadonlyArray<Event>): number =>
  events.reduce((sum, event) => sum + ("computeMs" in event ? event.computeMs : 0), 0)

/** Everything on the side stream of an actor, as it would stand on the log. */
const shadowLog = Effect.fnUntraced(function* (actor: string) {
  const records = yield* Stream.runCollect((yield* Bus).read("SHADOW", { filters: [shadowSubject(actor, ">")] }))
  return records.map((record): Recorded => ({ ...record, subject: record.subject.slice(shadowSubject(actor, "").length) }))
})

const codesOf = (records: ReadonlyArray<Recorded>, events: ReadonlyMap<Recorded, Event>): ReadonlyArray<string> =>
  records.flatMap((record) => {
    const event = events.get(record)
    return event?._tag === "error.raised" ? [event.code] : record.headers[DEAD.code] !== undefined ? [record.headers[DEAD.code] ?? ""] : []
  })

export const compare = Effect.fnUntraced(function* (actor: string, only: SessionId | undefined) {
  const bus = yield* Bus
  const aside = (yield* shadowLog(actor)).filter(({ subject }) => !subject.startsWith("dlq."))
  const bySession = Map.groupBy(aside, ({ subject }) => ownerOf(subject)?.session ?? "")
  const paces: { readonly actor: Pace; readonly shadow: Pace } = { actor: { ms: [], computeMs: 0 }, shadow: { ms: [], computeMs: 0 } }
  const chosen = [...bySession].filter(([session]) => session !== "" && (only === undefined || session === only)).slice(-SESSIONS)

  const sessions = yield* Effect.forEach(chosen, ([session, records]) =>
    Effect.gen(function* () {
      const mode = ownerOf(records[0]?.subject ?? "")?.mode ?? "call"
      const log = yield* Stream.runCollect(bus.read(eventStream(mode), { filters: sessionFilters(mode, session) }))
      const inputs = new Map(log.map((record) => [placeOf(record), record]))
      const theirs = workOf(records)
      const ours = workOf(log.filter(({ headers }) => headers[HEADERS.actor] === actor))
      const first = Math.min(...[...theirs.keys()].map(sequenceOf))
      const both = [...theirs.keys()].filter((cause) => ours.has(cause))
      const waiting = [...ours.keys()].filter((cause) => sequenceOf(cause) >= first && !theirs.has(cause)).length
      const side = Effect.fnUntraced(function* (work: Work, pace: Pace) {
        const outputs = both.flatMap((cause) => work.get(cause) ?? [])
        const events = yield* decoded(outputs)
        for (const cause of both) {
          const input = inputs.get(cause)
          const done = work.get(cause)?.filter((record) => !isError(record)) ?? []
          if (input !== undefined && done.length > 0) pace.ms.push(Math.max(...done.map(({ time }) => time)) - input.time)
        }
        pace.computeMs += compute([...events.values()])
        return { events: [...events.values()], failed: codesOf(outputs, events) }
      })
      const real = yield* side(ours, paces.actor)
      const shadow = yield* side(theirs, paces.shadow)
      return {
        session,
        mode,
        compared: both.length,
        waiting,
        texts: compareTexts(real.events, shadow.events),
        failed: { actor: real.failed, shadow: shadow.failed }
      }
    })
  )
  const words = (kind: "same" | "added" | "removed") =>
    sessions.reduce((sum, { texts }) => sum + texts.reduce((inner, text) => inner + text[kind], 0), 0)
  const comparison: Comparison = {
    actor,
    sessions,
    same: words("same"),
    added: words("added"),
    removed: words("removed"),
    pace: { actor: paceReply(paces.actor), shadow: paceReply(paces.shadow) }
  }
  return comparison
})
