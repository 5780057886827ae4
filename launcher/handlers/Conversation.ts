/** The assistant as commands: ask, listen, stop, forget. */
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import { Recorder } from "../../actors/capture/index.ts"
import { CONVERSATION, known, turns } from "../../actors/reasoner/Conversation.ts"
import * as Contract from "../../contract/ConversationCommands.ts"
import { SetTimer } from "../../contract/TimerCommands.ts"
import type { EventTag } from "../../contract/Events.ts"
import type { SessionId } from "../../contract/Session.ts"
import { Blobs } from "../../kernel/Blobs.ts"
import { handler } from "../../kernel/Commands.ts"
import { Terminal } from "../../kernel/Failure.ts"
import { AFTER, turnState } from "../../kernel/folds/TurnState.ts"
import { history } from "../../kernel/History.ts"
import { encodeOpus, resample } from "../../kernel/Media.ts"
import { askAudio, enter, find, heardOf, need, newestTurn, open, publish, say, setTimer, stop } from "../conversation/Conversations.ts"
import { turnReply } from "../conversation/Turns.ts"

const MODE = "assistant"
const STATE: ReadonlyArray<EventTag> = [
  "session.opened",
  "session.closed",
  "job.failed",
  ...(Object.keys(AFTER) as ReadonlyArray<keyof typeof AFTER>)
]

/** @param id of a conversation; the newest when absent */
export const conversationState = Effect.fnUntraced(function* (id?: SessionId) {
  const found = yield* find(id)
  if (found === undefined) return { state: "IDLE" as const, turn: 0 }
  const past = yield* history(MODE, found.session, STATE)
  const { stage, unit, problem } = turnState(past.map(({ event }) => event))
  return { session: found.session, state: stage, turn: unit, ...(problem === undefined ? {} : { problem }) }
})

const state = handler(Contract.ConversationState, ({ session }) => conversationState(session))

const send = handler(Contract.SendMessage, ({ text, waitSeconds = 0, ...into }) =>
  Effect.gen(function* () {
    const session = yield* enter(into)
    const { unit } = yield* (yield* Recorder).typed(session, text)
    return yield* turnReply(session.session, unit, waitSeconds)
  }).pipe(Effect.provide(Recorder.layer))
)

const ask = handler(Contract.AskAudio, ({ audio, waitSeconds = 0, ...into }) =>
  Effect.gen(function* () {
    const session = yield* enter(into)
    const { unit } = yield* askAudio(session, audio)
    return yield* turnReply(session.session, unit, waitSeconds)
  }).pipe(Effect.provide(Recorder.layer))
)

const transcribe = handler(Contract.TranscribeAudio, ({ audio, config, waitSeconds = 0 }) =>
  Effect.gen(function* () {
    const session = yield* open("transcribe", "Dictation", config, "text")
    const { unit } = yield* askAudio(session, audio)
    yield* (yield* Recorder).close(session, "complete")
    return yield* turnReply(session.session, unit, waitSeconds)
  }).pipe(Effect.provide(Recorder.layer))
)

const speak = handler(Contract.SpeakText, ({ text, config, waitSeconds = 0 }) =>
  Effect.gen(function* () {
    const session = yield* open("speak", "Spoken text", config, "speech")
    yield* say(session, text)
    yield* (yield* Recorder).close(session, "complete")
    return yield* turnReply(session.session, 1, waitSeconds)
  }).pipe(Effect.provide(Recorder.layer))
)

/** A copy, because a view would need an even offset. */
const samplesOf = (bytes: Uint8Array) => new Int16Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength))

const speech = handler(Contract.SentenceAudio, ({ session, turn, sentence }) =>
  Effect.gen(function* () {
    const past = yield* history(MODE, session, ["speech.synthesized"])
    const found = past.map(({ event }) => event).find((event) => event.unit === turn && event.sentence === sentence)
    if (found === undefined)
      return yield* new Terminal({ code: "input.missing", message: `Turn ${turn} has no spoken sentence ${sentence} (yet).` })
    const facts = { text: found.text, engine: found.engine, voice: found.voice, seconds: found.samples / found.sampleRate }
    if (found.samples === 0) return facts
    const pcm = samplesOf(yield* (yield* Blobs).get(found, found.audio))
    const opus = yield* encodeOpus(Stream.fromEffect(resample(pcm, found.sampleRate, 1)))
    return { ...facts, audio: Buffer.from(opus).toString("base64") }
  })
)

const stopTurn = handler(Contract.StopTurn, ({ session: id, turn }) =>
  Effect.gen(function* () {
    const { session } = yield* need(id)
    const newest = yield* newestTurn(session)
    const unit = turn ?? newest
    if (unit === 0 || unit > newest)
      return yield* new Terminal({ code: "input.invalid", message: `This conversation has no turn ${unit || 1}.` })
    return { session, turn: unit, stopped: yield* stop(session, unit) }
  })
)

const played = handler(Contract.PlayedTurn, ({ session: id, turn, sentences, samples, interrupted }) =>
  Effect.gen(function* () {
    const { session } = yield* need(id)
    if (turn > (yield* newestTurn(session)))
      return yield* new Terminal({ code: "input.invalid", message: `This conversation has no turn ${turn}.` })
    yield* heardOf(session, turn, { sentences, samples, interrupted })
    return { session, turn }
  })
)

const clear = handler(Contract.ClearConversation, ({ session: id }, { name }) =>
  Effect.gen(function* () {
    const { session } = yield* need(id)
    const through = yield* newestTurn(session)
    if (through > 0)
      yield* publish(
        { _tag: "session.cleared", v: 1, mode: MODE, session, through, reason: "user", by: name },
        `cleared:${session}:${through}`
      )
    return { session, through }
  })
)

const messages = handler(Contract.GetConversation, ({ session: id }) =>
  Effect.gen(function* () {
    const found = yield* find(id)
    if (found === undefined) return { messages: [] }
    const past = yield* history(MODE, found.session, CONVERSATION)
    const events = past.map(({ event }) => event)
    const after = Number.MAX_SAFE_INTEGER
    const kept = new Set(known(events, after, found.config.reasoner.historyExchanges).map(({ unit }) => unit))
    const at = (unit: number, tag: "text.transcribed" | "reply.ready") =>
      new Date(past.find(({ event }) => event._tag === tag && event.unit === unit)?.time ?? past[0]?.time ?? 0).toISOString()
    return {
      session: found.session,
      messages: turns(events, after).flatMap(({ unit, question, answer }) => [
        { role: "user" as const, content: question, turn: unit, at: at(unit, "text.transcribed"), known: kept.has(unit) },
        ...(answer === ""
          ? []
          : [{ role: "assistant" as const, content: answer, turn: unit, at: at(unit, "reply.ready"), known: kept.has(unit) }])
      ])
    }
  })
)

const timer = handler(SetTimer, ({ session: id, id: timerId, seconds, label }) =>
  Effect.gen(function* () {
    const { session, config } = yield* need(id)
    const due = yield* setTimer(timerId, { mode: MODE, session, config }, seconds, label)
    return { due: new Date(due).toISOString() }
  }).pipe(Effect.provide(Recorder.layer))
)

export const conversationHandlers = [state, send, ask, transcribe, speak, speech, stopTurn, played, clear, messages, timer]
