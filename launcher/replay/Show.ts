/** A session as of one of its events: the folds over everything up to it. */
import * as Effect from "effect/Effect"
import { merge } from "../../actors/bundler/Merge.ts"
import { outcomesOf } from "../../actors/bundler/Settled.ts"
import { CONVERSATION, messages } from "../../actors/reasoner/Conversation.ts"
import type { Event, EventOf } from "../../contract/Events.ts"
import type { ShowSession } from "../../contract/HistoryCommands.ts"
import type { Logged } from "../../kernel/Actor.ts"
import { isOneOf, logged } from "../../kernel/Envelope.ts"
import { Terminal } from "../../kernel/Failure.ts"
import { callStage } from "../../kernel/folds/Stage.ts"
import { currentTranscript, lineOf, lineOfVersion } from "../../kernel/folds/Transcripts.ts"
import { turnState } from "../../kernel/folds/TurnState.ts"
import { type Recording, recordingOf } from "./Recording.ts"

type Shown = (typeof ShowSession)["reply"]["Type"]

const PENDING = "missing"

const all = <T extends Event["_tag"]>(log: ReadonlyArray<Logged>, tag: T): ReadonlyArray<EventOf<T>> =>
  log.filter(isOneOf([tag])).map(({ event }) => event)

/** The transcript of a call as far as it is known: merged as the bundler does, with what is still to come as gaps. */
const callText = (log: ReadonlyArray<Logged>, opened: EventOf<"session.opened">): Pick<Shown, "text" | "version" | "coverage"> => {
  const requested = all(log, "transcript.requested")
  const version = currentTranscript(all(log, "transcript.completed"))?.version ?? 1
  const chunks = all(log, "audio.normalized").filter((chunk) => lineOf(chunk) === 1)
  const [known] = all(log, "audio.completed")
  const completed: EventOf<"audio.completed"> = known ?? {
    _tag: "audio.completed",
    v: 1,
    mode: opened.mode,
    session: opened.session,
    chunks: Math.max(0, ...chunks.map(({ unit }) => unit)),
    samples: Math.max(0, ...chunks.map(({ end }) => end)),
    speechSamples: 0,
    sourceSampleRate: 0,
    sourceChannels: 0
  }
  const { text, coverage } = merge({ opened, completed, chunks, ...outcomesOf(log, lineOfVersion(version, requested)), version })
  const gaps = coverage.gaps.map((gap) => (gap.reason === PENDING ? { ...gap, reason: "pending" } : gap))
  return { text, version, coverage: { ...coverage, gaps } }
}

const conversation = (log: ReadonlyArray<Logged>, opened: EventOf<"session.opened">): Pick<Shown, "text" | "context"> => {
  const { systemPrompt, historyExchanges } = opened.config.reasoner
  const sent = messages(
    log.filter(isOneOf(CONVERSATION)).map(({ event }) => event),
    { unit: Number.MAX_SAFE_INTEGER, question: "", systemPrompt, exchanges: historyExchanges }
  )
  return {
    text: all(log, "text.transcribed")
      .map(({ text }) => text)
      .join("\n"),
    context: sent.filter(({ content }) => content !== "").map(({ role, content }) => ({ role, content: content.replace(/\n$/, "") }))
  }
}

/** @param at sequence in the session's stream; what came after it is left out */
export const showRecording = Effect.fnUntraced(function* ({ mode, session, records }: Recording, at: number | undefined) {
  const past = records.filter(({ sequence }) => at === undefined || sequence <= at)
  const entries = yield* Effect.forEach(past, (record) => Effect.option(logged(record)))
  const log = entries.flatMap((entry) => (entry._tag === "Some" ? [entry.value] : []))
  const last = log.at(-1)
  if (last === undefined) {
    return yield* new Terminal({ code: "session.unknown", message: `Session ${session} had no event yet at ${at ?? 0}.` })
  }
  const [opened] = all(log, "session.opened")
  const [job] = all(log, "job.queued")
  const config = opened?.config ?? job?.config
  if (config === undefined)
    return yield* new Terminal({ code: "session.unknown", message: `The log does not hold the beginning of ${session}.` })
  const events = log.map(({ event }) => event)
  const shown: Shown = {
    session,
    mode,
    title: opened?.title ?? job?.title ?? "",
    state: mode === "call" ? callStage(events) : turnState(events).stage,
    at: last.sequence,
    subject: last.subject,
    time: new Date(last.time).toISOString(),
    events: log.length,
    text: "",
    ...(opened === undefined ? {} : mode === "call" ? callText(log, opened) : conversation(log, opened)),
    config
  }
  return shown
})

export const show = (session: string, at: number | undefined) =>
  Effect.flatMap(recordingOf(session), (recording) => showRecording(recording, at))
