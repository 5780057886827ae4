/**
 * Reads the whole log of a run and says what is lost, doubled or out of order. Pure: it knows what was asked for, and
 * from that what must be there; that a session came to its end says nothing yet.
 *
 * Sessions of the same file must have the same words, sentences and audio: a result that differs counts as lost.
 */
import type { Event } from "../../contract/Events.ts"
import type { Logged } from "../../kernel/Actor.ts"
import type { Wave } from "./Waves.ts"

export interface Fault {
  readonly kind: "lost" | "duplicated" | "reordered"
  readonly session: string
  readonly what: string
}

export interface Asked {
  readonly session: string
  readonly wave: Wave
}

/** What an event is within its session: its subject without mode and session, the two ends of a chunk being one. */
export const keyOf = (subject: string): string => {
  const [noun, verb, , , ...rest] = subject.split(".")
  return [noun, noun === "text" ? "*" : verb, ...rest].join(".")
}

const unit = (number: number) => String(number).padStart(6, "0")
const upTo = (count: number) => Array.from({ length: count }, (_, index) => unit(index + 1))

/** The keys of a whole session, and which must come before which. */
interface Expected {
  readonly keys: ReadonlyArray<string>
  readonly chains: ReadonlyArray<ReadonlyArray<string>>
}

const OPENING = ["job.queued", "session.opened", "audio.captured.000001", "session.closed"]

const ofCall = (chunks: number): Expected => {
  const opening = ["job.queued", "job.started", ...OPENING.slice(1)]
  const normalized = upTo(chunks).map((n) => `audio.normalized.${n}`)
  const text = upTo(chunks).map((n) => `text.*.${n}`)
  const end = ["transcript.completed.000001", "bundle.ready.000001"]
  return {
    keys: [...opening, ...normalized, "audio.completed", ...text, ...end],
    chains: [
      opening,
      ["audio.captured.000001", ...normalized, "audio.completed", ...end],
      ...upTo(chunks).map((n) => [`audio.normalized.${n}`, `text.*.${n}`, ...end])
    ]
  }
}

const ofTurn = (answered: boolean, sentences: number): Expected => {
  const heard = ["audio.captured.000001", "audio.normalized.000001", "text.*.000001"]
  if (!answered) return { keys: [...new Set([...OPENING, ...heard])], chains: [OPENING, heard] }
  const drafted = upTo(sentences).map((n) => `reply.drafted.000001.${n}`)
  const spoken = upTo(sentences).map((n) => `speech.synthesized.000001.${n}`)
  return {
    keys: [...new Set([...OPENING, ...heard, ...drafted, "reply.ready.000001", ...spoken])],
    chains: [
      OPENING,
      [...heard, ...drafted, "reply.ready.000001"],
      spoken,
      ...upTo(sentences).map((n) => [`reply.drafted.000001.${n}`, `speech.synthesized.000001.${n}`])
    ]
  }
}

const expectedOf = ({ wave }: Asked, events: ReadonlyArray<Event>): Expected => {
  if (wave.mode === "call") return ofCall(wave.chunks)
  const ready = events.find((event) => event._tag === "reply.ready")
  const rejected = events.some((event) => event._tag === "text.rejected")
  return ofTurn(!rejected, ready?._tag === "reply.ready" ? ready.sentences : 1)
}

/** What must be the same in every session of one file. */
const contentOf = (event: Event): string | undefined => {
  switch (event._tag) {
    case "audio.normalized":
      return JSON.stringify([event.start, event.end, event.audio.sha256])
    case "audio.completed":
      return JSON.stringify([event.chunks, event.samples, event.speechSamples])
    case "text.transcribed":
    case "text.rejected":
      return JSON.stringify([event._tag, event.start, event.end, event.text])
    case "reply.drafted":
      return event.text
    case "reply.ready":
      return JSON.stringify([event.text, event.sentences])
    case "speech.synthesized":
      return JSON.stringify([event.text, event.audio.sha256])
    case "transcript.completed":
      return JSON.stringify([event.words, event.samples, event.coverage])
    default:
      return undefined
  }
}

const place = ({ stream, sequence }: Logged) => `${stream}:${sequence}`

/** The chain of causes of every event must lead, within its session and backwards in the log, to the job. */
const causes = (session: string, entries: ReadonlyArray<Logged>): ReadonlyArray<Fault> => {
  const known = new Map(entries.map((entry) => [place(entry), entry]))
  return entries.flatMap((entry): ReadonlyArray<Fault> => {
    // The end of another call may be what makes it this one's turn.
    if (entry.event._tag === "job.queued" || entry.event._tag === "job.started") return []
    const cause = known.get(entry.cause)
    if (cause === undefined) return [{ kind: "lost", session, what: `the cause of ${entry.subject}, ${entry.cause || "none"}` }]
    return cause.sequence < entry.sequence ? [] : [{ kind: "reordered", session, what: `${entry.subject} lies before its cause` }]
  })
}

const auditSession = (asked: Asked, entries: ReadonlyArray<Logged>, contents: Map<string, string>): ReadonlyArray<Fault> => {
  const { session, wave } = asked
  const { keys, chains } = expectedOf(
    asked,
    entries.map(({ event }) => event)
  )
  const faults: Array<Fault> = [...causes(session, entries)]
  const first = new Map<string, number>()
  for (const entry of entries) {
    const key = keyOf(entry.subject)
    if (first.has(key)) faults.push({ kind: "duplicated", session, what: entry.subject })
    else if (entry.event._tag === "error.raised")
      faults.push({ kind: "lost", session, what: `${entry.event.subject}: ${entry.event.actor} gave it up, ${entry.event.code}` })
    else if (!keys.includes(key)) faults.push({ kind: "duplicated", session, what: `${entry.subject} is one too many` })
    if (!first.has(key)) first.set(key, entry.sequence)
    const content = contentOf(entry.event)
    const same = contents.get(`${wave.name} ${key}`)
    if (content === undefined) continue
    if (same === undefined) contents.set(`${wave.name} ${key}`, content)
    else if (same !== content)
      faults.push({ kind: "lost", session, what: `${entry.subject} differs from that of the other sessions of ${wave.name}` })
  }
  for (const key of keys) if (!first.has(key)) faults.push({ kind: "lost", session, what: key })
  for (const chain of chains) {
    const there = chain.flatMap((key) => first.get(key) ?? [])
    there.forEach((sequence, index) => {
      if (sequence < (there[index - 1] ?? 0)) faults.push({ kind: "reordered", session, what: `${chain.join(" < ")}: ${there.join(", ")}` })
    })
  }
  return faults
}

/**
 * @param log all session events, in order
 * @param asked sessions that the log confirmed
 */
export const audit = (log: ReadonlyArray<Logged>, asked: ReadonlyArray<Asked>): ReadonlyArray<Fault> => {
  const sessions = Map.groupBy(log, ({ event }) => ("session" in event ? event.session : ""))
  const contents = new Map<string, string>()
  const known = new Set(asked.map(({ session }) => session))
  return [
    ...asked.flatMap((each) => auditSession(each, sessions.get(each.session) ?? [], contents)),
    ...[...sessions.keys()]
      .filter((session) => !known.has(session))
      .map((session): Fault => ({ kind: "duplicated", session, what: "a session that nobody asked for" }))
  ]
}
