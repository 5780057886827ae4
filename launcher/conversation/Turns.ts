/**
 * A turn as a program sees it: folded from the events of its session, at once or when it is over.
 */
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import type { TurnReply } from "../../contract/ConversationCommands.ts"
import type { Event, EventOf } from "../../contract/Events.ts"
import type { SessionId } from "../../contract/Session.ts"
import { follow } from "../Call.ts"
import { history } from "../../kernel/History.ts"

export const TURN = [
  "audio.captured",
  "text.transcribed",
  "text.rejected",
  "reply.drafted",
  "reply.ready",
  "speech.synthesized",
  "turn.cancelled",
  "error.raised"
] as const
export type TurnEvent = EventOf<(typeof TURN)[number]>

const STAGES: Readonly<Record<string, "answer" | "speech">> = { reasoner: "answer", speaker: "speech" }
const stageOf = (failure: EventOf<"error.raised">) => STAGES[failure.actor] ?? "question"

const isTurnEvent = (event: Event): event is TurnEvent => TURN.some((tag) => tag === event._tag)
const ofTurn = (events: ReadonlyArray<TurnEvent>, unit: number) =>
  events.filter((event) => event.unit === unit || (event._tag === "error.raised" && event.unit === undefined))

/** The turn has gone as far as it should (`until` of its session), or as far as it can. */
const over = (events: ReadonlyArray<TurnEvent>): boolean => {
  const failed = events.flatMap((event) => (event._tag === "error.raised" ? [stageOf(event)] : []))
  if (failed.includes("question") || failed.includes("answer")) return true
  if (events.some(({ _tag }) => _tag === "text.rejected" || _tag === "turn.cancelled")) return true
  const until = events.find((event) => event._tag === "text.transcribed" || event._tag === "reply.drafted")?.config.until
  if (until === "text") return true
  const ready = events.find((event) => event._tag === "reply.ready")
  if (ready === undefined) return false
  if (until === "reply") return true
  return failed.includes("speech") || events.filter(({ _tag }) => _tag === "speech.synthesized").length >= ready.sentences
}

const replyOf = (session: SessionId, turn: number, events: ReadonlyArray<TurnEvent>, done: boolean): TurnReply => {
  const question = events.find((event) => event._tag === "text.transcribed")?.text
  const rejected = events.find((event) => event._tag === "text.rejected")?.reason
  const failure = events.find((event) => event._tag === "error.raised")
  const drafts = events.filter((event) => event._tag === "reply.drafted").toSorted((a, b) => a.sentence - b.sentence)
  return {
    session,
    turn,
    ...(question === undefined ? {} : { question }),
    ...(rejected === undefined ? {} : { rejected }),
    reply: drafts.map(({ text }) => text),
    spoken: events.filter(({ _tag }) => _tag === "speech.synthesized").length,
    done,
    ...(failure === undefined ? {} : { problem: { stage: stageOf(failure), code: failure.code, message: failure.message } })
  }
}

/** @param seconds how long to wait for the end of the turn; 0: not at all */
export const turnReply = Effect.fnUntraced(function* (session: SessionId, turn: number, seconds: number) {
  if (seconds === 0) {
    const past = yield* history("assistant", session, TURN)
    const events = ofTurn(
      past.map(({ event }) => event),
      turn
    )
    return replyOf(session, turn, events, over(events))
  }
  const seen: Array<TurnEvent> = []
  yield* follow("assistant", session).pipe(
    Stream.map(({ event }) => event),
    Stream.filter(isTurnEvent),
    Stream.map((event) => void seen.push(event)),
    Stream.takeUntil(() => over(ofTurn(seen, turn))),
    Stream.runDrain,
    Effect.timeoutOption(seconds * 1000)
  )
  const events = ofTurn(seen, turn)
  return replyOf(session, turn, events, over(events))
})
