/**
 * Which conversation a command is about, and what a program can put into it. The log is the only memory: the newest
 * conversation is the session that was opened last.
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import { createHash } from "node:crypto"
import { addressed, Recorder, type Session } from "../../actors/capture/index.ts"
import { cut } from "../../actors/reasoner/Sentences.ts"
import { spoken } from "../../actors/reasoner/Spoken.ts"
import type { Event, EventOf } from "../../contract/Events.ts"
import type { SessionConfig, SessionId } from "../../contract/Session.ts"
import { sessionFilters } from "../../contract/Subjects.ts"
import { Blobs } from "../../kernel/Blobs.ts"
import { Bus } from "../../kernel/Bus.ts"
import { decode, encode } from "../../kernel/Envelope.ts"
import { type Failure, Terminal } from "../../kernel/Failure.ts"
import { history } from "../../kernel/History.ts"
import { Settings } from "../../kernel/Settings.ts"

const MODE = "assistant"
/** Sources of sessions that hold one piece of work, or a client's own talk through `/v1` or Wyoming: nobody else's conversation. */
const ERRANDS: ReadonlyArray<string> = ["transcribe", "speak", "api", "program"]

type Opened = EventOf<"session.opened">

const unknown = (session: SessionId) =>
  new Terminal({ code: "session.unknown", message: `There is no conversation ${session}; it may have been forgotten.` })

/** Those there are, the newest first, and whether each is closed. */
const conversations = Effect.gen(function* () {
  const bus = yield* Bus
  const records = yield* bus.last("ASSISTANT", [`session.opened.${MODE}.*`, `session.closed.${MODE}.*`])
  const events = yield* Effect.forEach(
    records.toSorted((a, b) => b.sequence - a.sequence),
    (record) => Effect.option(decode(record))
  )
  const known = events.flatMap((event) => (event._tag === "Some" ? [event.value] : []))
  const closed = new Set(known.flatMap((event) => (event._tag === "session.closed" ? [event.session] : [])))
  return known.flatMap((event) =>
    event._tag === "session.opened" && !ERRANDS.includes(event.source.name) ? [{ opened: event, closed: closed.has(event.session) }] : []
  )
})

const openedOf = (session: SessionId) =>
  Effect.flatMap(history(MODE, session, ["session.opened"]), ([first]) =>
    first === undefined ? Effect.fail<Failure>(unknown(session)) : Effect.succeed(first.event)
  )

/** The conversation of this id, or the newest; `undefined` where there is none. */
export const find = Effect.fnUntraced(function* (session: SessionId | undefined): Effect.fn.Return<Opened | undefined, Failure, Bus> {
  return session === undefined ? (yield* conversations)[0]?.opened : yield* openedOf(session)
})

/** The same; fails where there is none. */
export const need = Effect.fnUntraced(function* (session: SessionId | undefined): Effect.fn.Return<Opened, Failure, Bus> {
  const found = yield* find(session)
  return found ?? (yield* new Terminal({ code: "session.unknown", message: "There is no conversation yet." }))
})

export interface Into {
  readonly session?: SessionId | undefined
  readonly fresh?: boolean | undefined
  readonly config?: SessionConfig | undefined
}

/** A session of its own. @param name of the source: `command`, or the errand that it is for */
export const open = Effect.fnUntraced(function* (
  name: string,
  title: string,
  config: SessionConfig | undefined,
  until?: SessionConfig["until"]
) {
  const recorder = yield* Recorder
  const settings = yield* Settings.current
  return yield* recorder.open({
    mode: MODE,
    title,
    source: { kind: "stream", name },
    config: { ...(config ?? settings.session), ...(until === undefined ? {} : { until }) }
  })
})

/** The conversation named, the newest that is still open, or a new one. */
export const enter = Effect.fnUntraced(function* ({
  session,
  fresh = false,
  config
}: Into): Effect.fn.Return<Session, Failure, Bus | Recorder | Settings> {
  const newest = session === undefined && !fresh ? (yield* conversations).find(({ closed }) => !closed)?.opened : undefined
  const known = session === undefined ? newest : yield* openedOf(session)
  if (known === undefined) return yield* open("command", "Conversation", config)
  return { mode: MODE, session: known.session, config: known.config }
})

/** Publishes an event of a session, on behalf of whoever asked. Returns whether the log took it. */
export const publish = Effect.fnUntraced(function* (event: Event, id: string) {
  const bus = yield* Bus
  return (yield* bus.publish(yield* encode(event, { actor: "launcher", cause: "", messageId: `launcher:${id}` }))).stored
})

/** Audio of any format as the next turn. */
export const askAudio = Effect.fnUntraced(function* (session: Session, base64: string) {
  const blob = yield* (yield* Blobs).put(session, Buffer.from(base64, "base64"), "application/octet-stream")
  return yield* (yield* Recorder).file(addressed(session), blob)
})

/** Generation that a turn has, or will have: above every cancelled one before it. */
const generationOf = (unit: number, events: ReadonlyArray<EventOf<"reply.drafted" | "reply.ready" | "turn.cancelled">>): number => {
  const own = events.filter((event) => event._tag !== "turn.cancelled" && event.unit === unit).map(({ generation }) => generation)
  const before = events.filter((event) => event._tag === "turn.cancelled" && event.unit < unit).map(({ generation }) => generation + 1)
  return Math.max(0, ...(own.length > 0 ? own : before))
}

/** What was heard of an answer. */
export const heardOf = Effect.fnUntraced(function* (
  session: SessionId,
  unit: number,
  { interrupted, ...much }: { readonly sentences: number; readonly samples: number; readonly interrupted: boolean }
) {
  const past = yield* history(MODE, session, ["reply.drafted", "reply.ready", "turn.cancelled"])
  const generation = generationOf(
    unit,
    past.map(({ event }) => event)
  )
  const tag = interrupted ? "speech.interrupted" : "speech.heard"
  const event = { _tag: tag, v: 1, mode: MODE, session, unit, generation, ...much } as const
  return yield* publish(event, `${tag}:${session}:${unit}:${generation}`)
})

/** Number of the newest turn; 0 where there is none. */
export const newestTurn = (session: SessionId) =>
  Effect.map(history(MODE, session, ["audio.captured", "text.transcribed"]), (past) => Math.max(0, ...past.map(({ event }) => event.unit)))

/** Cancels a turn; false when it was over. */
export const stop = Effect.fnUntraced(function* (session: SessionId, unit: number) {
  const past = yield* history(MODE, session, [
    "reply.drafted",
    "reply.ready",
    "turn.cancelled",
    "speech.heard",
    "speech.interrupted",
    "text.rejected"
  ])
  const events = past.map(({ event }) => event)
  const ended = events.some(
    (event) => event.unit === unit && ["turn.cancelled", "speech.heard", "speech.interrupted", "text.rejected"].includes(event._tag)
  )
  if (ended) return false
  const generation = generationOf(
    unit,
    events.flatMap((event) =>
      event._tag === "reply.drafted" || event._tag === "reply.ready" || event._tag === "turn.cancelled" ? [event] : []
    )
  )
  return yield* publish(
    { _tag: "turn.cancelled", v: 1, mode: MODE, session, unit, generation, reason: "user" },
    `turn.cancelled:${session}:${unit}:${generation}`
  )
})

/** A text as the answer of a turn that nobody asked for, so that the speaker speaks it. Returns how many sentences it is. */
export const say = Effect.fnUntraced(function* ({ session, config }: Session, text: string) {
  const sentences = cut(text, { first: false, final: true })
    .sentences.map(spoken)
    .filter((each) => each !== "")
  if (sentences.length === 0) return yield* new Terminal({ code: "input.invalid", message: "Nothing of this text can be spoken." })
  const base = { v: 1, mode: MODE, session, unit: 1, generation: 0 } as const
  for (const [index, sentence] of sentences.entries())
    yield* publish({ _tag: "reply.drafted", ...base, sentence: index + 1, text: sentence, config }, `say:${session}:${index}`)
  yield* publish(
    {
      _tag: "reply.ready",
      ...base,
      text: sentences.join(" "),
      sentences: sentences.length,
      engine: "given",
      model: "",
      contextSha256: createHash("sha256").digest("hex"),
      usage: { promptTokens: 0, completionTokens: 0 },
      firstTokenMs: 0,
      computeMs: 0,
      finish: "stop"
    },
    `say:${session}:ready`
  )
})

/** The timers that run in this process, by session and id: a repeated request sets none twice. */
const timers = new Map<string, number>()

/** Says so in a turn of its own when the time is over; returns when that will be, epoch milliseconds. */
export const setTimer = Effect.fnUntraced(function* (id: string, session: Session, seconds: number, label: string) {
  const key = `${session.session} ${id}`
  const known = timers.get(key)
  if (known !== undefined) return known
  const due = (yield* Clock.currentTimeMillis) + seconds * 1000
  timers.set(key, due)
  const recorder = yield* Recorder
  const bus = yield* Bus
  // A conversation that was erased meanwhile is not begun anew.
  const ring = Effect.gen(function* () {
    const left = yield* bus.last("ASSISTANT", sessionFilters(MODE, session.session))
    // What it leads to sets no timer again.
    const config = { ...session.config, reasoner: { ...session.config.reasoner, tools: [] } }
    if (left.length > 0)
      yield* recorder.typed({ ...session, config }, `(My timer${label === "" ? "" : ` "${label}"`} is over. Tell me so.)`)
  })
  yield* Effect.sleep(seconds * 1000).pipe(
    Effect.andThen(ring),
    Effect.catch((failure) => Effect.logWarning("a timer could not be announced").pipe(Effect.annotateLogs({ reason: failure.message }))),
    Effect.ensuring(Effect.sync(() => timers.delete(key))),
    Effect.forkDetach
  )
  return due
})
