/**
 * What was recorded against what came of it now: bytes of every event, words of transcripts and answers, time per stage.
 */
import * as Effect from "effect/Effect"
import type { ReplayReport, Stage } from "../../contract/HistoryCommands.ts"
import type { Event, EventTag } from "../../contract/Events.ts"
import { HEADERS } from "../../contract/Subjects.ts"
import type { Recorded } from "../../kernel/Bus.ts"
import { decode, encode } from "../../kernel/Envelope.ts"
import { countChanges, wordDiff } from "../../kernel/text/WordDiff.ts"

/** Fields that a clock or the load of the machine puts into an event; everything else must be the same. */
export const CLOCKED: Partial<Record<EventTag, ReadonlyArray<string>>> = {
  "text.transcribed": ["computeMs", "threads"],
  "text.rejected": ["computeMs", "threads"],
  "reply.ready": ["firstTokenMs", "computeMs"],
  "speech.synthesized": ["computeMs"]
}

/** There only when work was done before it was waited for, which is the clock's affair too. */
const AHEAD = "aheadMs"

/** Not compared: a bundle is signed over the times of its events, and a failure names their numbers. */
const APART: ReadonlyArray<string> = ["bundle.ready", "error.raised"]

/** Kinds of events that came with a later release: a recording without any of them may gain them. */
const LATER: ReadonlyArray<string> = ["language.pinned"]

const MOST = 200
const tagOf = ({ subject }: Pick<Recorded, "subject">) => subject.split(".", 2).join(".")
export const isCompared = (record: Recorded): boolean => !APART.includes(tagOf(record))

/** The body with its clocked fields as 0: the text itself otherwise, key order and all. */
const comparable = (record: Recorded): string => {
  const text = new TextDecoder().decode(record.data)
  const fields = Object.entries(CLOCKED).find(([tag]) => tag === tagOf(record))?.[1]
  if (fields === undefined) return text
  const body: unknown = JSON.parse(text)
  return JSON.stringify(body, (key, value: unknown) => {
    if (key === AHEAD) return undefined
    return fields.includes(key) && typeof value === "number" ? 0 : value
  })
}

/** A recorded event as today's contract writes it: settings that the recorder did not know have their defaults. */
const upgraded = (record: Recorded) =>
  decode(record).pipe(
    Effect.flatMap((event) => encode(event, { actor: "", cause: "", messageId: "" })),
    Effect.map(({ data }) => comparable({ ...record, data })),
    Effect.orElseSucceed(() => undefined)
  )

/** Bodies by subject. */
export const compareBodies = Effect.fnUntraced(function* (
  recorded: ReadonlyArray<Recorded>,
  replayed: ReadonlyArray<Recorded>
): Effect.fn.Return<Pick<ReplayReport, "identical" | "equivalent" | "events" | "differences">> {
  const before = new Map(recorded.filter(isCompared).map((record) => [record.subject, record]))
  const after = new Map(replayed.filter(isCompared).map((record) => [record.subject, comparable(record)]))
  const differences: Array<ReplayReport["differences"][number]> = []
  const events = { recorded: before.size, replayed: after.size, identical: 0, upgraded: 0 }
  for (const [subject, record] of before) {
    const now = after.get(subject)
    if (now === comparable(record)) events.identical += 1
    else if (now === undefined) differences.push({ subject, kind: "missing" })
    else if (now === (yield* upgraded(record))) events.upgraded += 1
    else differences.push({ subject, kind: "changed" })
  }
  const known = new Set(recorded.map(tagOf))
  for (const subject of after.keys()) {
    if (before.has(subject)) continue
    const tag = tagOf({ subject })
    if (LATER.includes(tag) && !known.has(tag)) events.upgraded += 1
    else differences.push({ subject, kind: "new" })
  }
  const equivalent = differences.length === 0
  return { identical: equivalent && events.upgraded === 0, equivalent, events, differences: differences.slice(0, MOST) }
})

type Texts = ReplayReport["texts"]
type Key = Pick<Texts[number], "what" | "number">

/** The texts of a log by what they are; those of a call are put together from its chunks. */
const textsOf = (events: ReadonlyArray<Event>): ReadonlyMap<string, Key & { readonly text: string }> => {
  const found = new Map<string, Key & { readonly text: string }>()
  const put = (key: Key, text: string) => found.set(`${key.what} ${key.number}`, { ...key, text })
  const chunks = events
    .filter((event) => event._tag === "text.transcribed")
    .filter(({ mode }) => mode === "call")
    .toSorted((a, b) => a.unit - b.unit)
  for (const { version = 1, text } of chunks) {
    const before = found.get(`transcript ${version}`)?.text ?? ""
    put({ what: "transcript", number: version }, before === "" ? text : `${before} ${text}`)
  }
  for (const event of events) {
    if (event._tag === "text.transcribed" && event.mode === "assistant") put({ what: "question", number: event.unit }, event.text)
    if (event._tag === "reply.ready") put({ what: "reply", number: event.unit }, event.text)
  }
  return found
}

export const compareTexts = (recorded: ReadonlyArray<Event>, replayed: ReadonlyArray<Event>): Texts => {
  const before = textsOf(recorded)
  const after = textsOf(replayed)
  return [...new Map([...before, ...after])].map(([key, { what, number }]) => {
    const [old, now] = [before.get(key)?.text ?? "", after.get(key)?.text ?? ""]
    const changes = wordDiff(old, now)
    return { what, number, before: old, after: now, changes, ...countChanges(changes) }
  })
}

const round = (ms: number) => Math.round(ms * 10) / 10

/** From the first input of a stage to its last output. */
const spent = (stage: Stage, log: ReadonlyArray<Recorded>, events: ReadonlyMap<Recorded, Event>) => {
  const own = log.filter((record) => record.headers[HEADERS.actor] === stage && isCompared(record))
  const times = new Map(log.map((record) => [`${record.stream}:${record.sequence}`, record.time]))
  const starts = own.map((record) => times.get(record.headers[HEADERS.cause] ?? "") ?? record.time)
  const computeMs = own.reduce((sum, record) => {
    const event = events.get(record)
    return sum + (event !== undefined && "computeMs" in event ? event.computeMs : 0)
  }, 0)
  const ms = own.length === 0 ? 0 : Math.max(...own.map(({ time }) => time)) - Math.min(...starts)
  return { events: own.length, spent: { ms: round(ms), computeMs: round(computeMs) } }
}

/** Events of a log with their records; those of a newer version that cannot be read are left out. */
export const decoded = (log: ReadonlyArray<Recorded>) =>
  Effect.map(
    Effect.forEach(log, (record) => Effect.map(Effect.option(decode(record)), (event) => ({ record, event }))),
    (all) => new Map(all.flatMap(({ record, event }) => (event._tag === "Some" ? [[record, event.value] as const] : [])))
  )

export const compareTimings = (
  stages: ReadonlyArray<Stage>,
  recorded: ReadonlyMap<Recorded, Event>,
  replayed: ReadonlyMap<Recorded, Event>
): ReplayReport["timings"] =>
  stages.map((stage) => {
    const before = spent(stage, [...recorded.keys()], recorded)
    const after = spent(stage, [...replayed.keys()], replayed)
    return { stage, events: after.events, recorded: before.spent, replayed: after.spent }
  })
