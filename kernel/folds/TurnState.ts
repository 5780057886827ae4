/**
 * The state of a conversation: one pure fold over its events, always about the newest turn. Nowhere stored, so it is the
 * same before and after a crash and for every process that asks.
 *
 * An event moves the state by `AFTER`, whatever the state was, with two exceptions: a turn that is over (heard, cut
 * short, rejected) stays over when its stragglers arrive, and an event of an older turn counts for nothing. The frames of
 * a question are no events: LISTENING is a session that was opened and waits, or a partial text of a question that is
 * still being spoken.
 */
import type { Event, EventOf, EventTag } from "../../contract/Events.ts"
import type { ErrorCode } from "../../contract/Errors.ts"

export const STAGES = ["IDLE", "LISTENING", "TRANSCRIBING", "THINKING", "SPEAKING", "ERROR"] as const
export type TurnStage = (typeof STAGES)[number]

export interface TurnState {
  readonly stage: TurnStage
  /** Number of the newest turn; 0 before the first. */
  readonly unit: number
  /** The turn has ended: nothing of it changes the state any more. */
  readonly over: boolean
  /** Nobody plays the answers of this session: it was closed after its question (`voxbus ask`). */
  readonly closed: boolean
  /** Its answer is only written. */
  readonly silent: boolean
  /** Sentences that were spoken, and how many the answer has, once it is whole. */
  readonly spoken: number
  readonly sentences?: number
  /** Of ERROR: what went wrong last. */
  readonly problem?: { readonly actor: string; readonly code: ErrorCode; readonly message: string }
}

export const initial: TurnState = { stage: "IDLE", unit: 0, over: false, closed: false, silent: false, spoken: 0 }

/** What an event of the newest turn makes of it. What is not here changes nothing. */
export const AFTER = {
  "text.partial": "LISTENING",
  "audio.captured": "TRANSCRIBING",
  "audio.normalized": "TRANSCRIBING",
  "text.transcribed": "THINKING",
  "text.rejected": "IDLE",
  "tool.called": "THINKING",
  "tool.finished": "THINKING",
  "reply.drafted": "SPEAKING",
  "reply.ready": "SPEAKING",
  "speech.synthesized": "SPEAKING",
  "speech.heard": "IDLE",
  "speech.interrupted": "IDLE",
  "turn.cancelled": "IDLE",
  "error.raised": "ERROR"
} as const satisfies Partial<Record<EventTag, TurnStage>>

type Moving = EventOf<keyof typeof AFTER>

const moves = (event: Event): event is Moving => event._tag in AFTER

/** The question is being worked on: a late partial text of it says nothing new. */
const PAST_LISTENING: ReadonlyArray<TurnStage> = ["TRANSCRIBING", "THINKING", "SPEAKING"]

/** The turn goes no further than this: `until` of its session. */
const untilOf = (event: Moving) => ("config" in event ? event.config?.until : undefined)

/** An answer that nobody plays is over when it is whole and spoken; one that has no sentence, when it is whole. */
const settled = (state: TurnState): TurnState => {
  const whole =
    state.sentences !== undefined && (state.sentences === 0 || state.silent || (state.closed && state.spoken >= state.sentences))
  return whole && state.stage === "SPEAKING" ? { ...state, stage: "IDLE", over: true } : state
}

const failed = (state: TurnState, { actor, code, message }: Pick<EventOf<"error.raised">, "actor" | "code" | "message">): TurnState => ({
  ...state,
  stage: "ERROR",
  problem: { actor, code, message }
})

/** The state after one more event. */
export const step = (state: TurnState, event: Event): TurnState => {
  if (event._tag === "job.failed") return failed(state, { ...event, actor: "capture" })
  if (event._tag === "session.opened") return state.unit === 0 ? { ...state, stage: "LISTENING" } : state
  if (event._tag === "session.closed") return settled({ ...state, closed: true, stage: state.stage === "LISTENING" ? "IDLE" : state.stage })
  if (!moves(event)) return state
  const unit = event.unit ?? state.unit
  if (unit < state.unit) return state
  const turn: TurnState = unit === state.unit ? state : { ...initial, unit, closed: state.closed }
  if (turn.over) return turn
  const { problem: _, ...rest } = turn
  switch (event._tag) {
    case "error.raised":
      return failed(turn, event)
    case "text.transcribed":
      return untilOf(event) === "text" ? { ...rest, stage: "IDLE", over: true } : { ...rest, stage: "THINKING" }
    case "reply.drafted":
      return { ...rest, stage: "SPEAKING", silent: untilOf(event) === "reply" }
    case "text.partial":
      return PAST_LISTENING.includes(turn.stage) ? turn : { ...rest, stage: "LISTENING" }
    case "text.rejected":
    case "speech.heard":
    case "speech.interrupted":
    case "turn.cancelled":
      return { ...rest, stage: "IDLE", over: true }
    case "reply.ready":
      return settled({ ...rest, stage: "SPEAKING", sentences: event.sentences })
    case "speech.synthesized":
      return settled({ ...rest, stage: "SPEAKING", spoken: Math.max(rest.spoken, event.sentence) })
    default:
      return { ...rest, stage: AFTER[event._tag] }
  }
}

/** @param events of one conversation, in order */
export const turnState = (events: ReadonlyArray<Event>): TurnState => events.reduce(step, initial)
