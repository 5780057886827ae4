/**
 * Calls as a client sees them: events in, messages out. No clock and no bus. A call is known once its past was recalled,
 * so that a client which comes late, or comes back, hears only of what changes.
 */
import { type SessionEvent, TIMELINE_RATE } from "../../contract/Events.ts"
import type { SessionId } from "../../contract/Session.ts"
import { type CallState, initial, step } from "../../kernel/folds/CallState.ts"
import { problem, type ServerMessage } from "../Protocol.ts"
import type { CallMessage, CallStateName } from "./Messages.ts"

/** Characters of the preview of a finished call. */
const PREVIEW = 200
/** Calls remembered; the one that was heard of longest ago goes. */
const REMEMBERED = 256

interface Call {
  state: CallState
  /** The state that the client was told. */
  told: CallStateName | undefined
  /** The beginning of what was said, by chunk. */
  readonly texts: Map<number, string>
}

export type Progress = Extract<CallMessage, { readonly type: "processing_progress" }>

export interface CallView {
  readonly knows: (session: SessionId) => boolean
  /** The past of a call, in order; nothing is said about it. */
  readonly recall: (session: SessionId, past: ReadonlyArray<{ readonly event: SessionEvent; readonly time: number }>) => void
  /** What one more event means. Progress is among it; whoever sends it keeps to ten a second. */
  readonly observe: (event: SessionEvent, time: number, sequence: number) => ReadonlyArray<ServerMessage>
  /** The state of a call, unless the client knows it. */
  readonly present: (session: SessionId) => ReadonlyArray<ServerMessage>
  /** One for each call that is being recorded. */
  readonly timers: (now: number) => ReadonlyArray<ServerMessage>
}

const named = (state: CallState): CallStateName => state.phase.toLowerCase() as CallStateName

/** `3725` as `01:02:05`. */
export const formatted = (seconds: number): string =>
  [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, Math.floor(seconds) % 60]
    .map((each) => String(each).padStart(2, "0"))
    .join(":")

/** How far the work on a call is, percent: cutting is a tenth, writing the bundle the last twentieth. */
const percentOf = ({ phase, settled, expected, chunks }: CallState): number => {
  if (phase === "COMPLETED") return 100
  if (phase === "BUNDLING") return 95
  const total = Math.max(1, expected ?? chunks)
  const share = Math.min(1, settled.size / total)
  // Until all is cut nobody knows how much there is.
  return Math.round((expected === undefined ? Math.min(share, 0.5) * 20 : 10 + share * 85) * 10) / 10
}

const seconds = (samples: number) => samples / TIMELINE_RATE

export const makeCallView = (): CallView => {
  const calls = new Map<SessionId, Call>()

  const remember = (session: SessionId): Call => {
    const call = calls.get(session) ?? { state: initial, told: undefined, texts: new Map<number, string>() }
    // The newest is the last.
    calls.delete(session)
    calls.set(session, call)
    const [oldest] = calls.keys()
    if (calls.size > REMEMBERED && oldest !== undefined) calls.delete(oldest)
    return call
  }

  const fold = (call: Call, event: SessionEvent, time: number) => {
    call.state = step(call.state, event, time)
    if (event._tag === "text.transcribed" && event.version === undefined && call.texts.size < 16)
      call.texts.set(event.unit, event.text.slice(0, PREVIEW))
  }

  const preview = ({ texts }: Call): string => {
    const all = [...texts.entries()].toSorted(([a], [b]) => a - b).map(([, text]) => text.trim())
    const text = all.filter((each) => each !== "").join(" ")
    return text.length <= PREVIEW ? text : `${text.slice(0, PREVIEW - 1)}…`
  }

  const changed = (call: Call, session: SessionId, place: { readonly sequence?: number }): ReadonlyArray<ServerMessage> => {
    const state = named(call.state)
    if (state === call.told) return []
    const previous = call.told
    call.told = state
    return [{ type: "state_change", state, ...(previous === undefined ? {} : { previous }), session, title: call.state.title, ...place }]
  }

  const progress = (call: Call, session: SessionId, sequence: number): ReadonlyArray<ServerMessage> => [
    { type: "processing_progress", session, percent: percentOf(call.state), stage: named(call.state), sequence }
  ]

  const said = (call: Call, event: SessionEvent, sequence: number): ReadonlyArray<ServerMessage> => {
    const { session } = event
    switch (event._tag) {
      case "text.partial":
        return [{ type: "partial_transcript", session, unit: event.unit, text: event.text, is_final: false, sequence }]
      case "text.transcribed": {
        if (event.version !== undefined) return []
        const [start, end] = [seconds(event.start), seconds(event.end)]
        return [
          { type: "partial_transcript", session, unit: event.unit, text: event.text, is_final: true, start, end, sequence },
          ...progress(call, session, sequence)
        ]
      }
      case "audio.normalized":
      case "audio.completed":
      case "text.rejected":
      case "transcript.completed":
        return progress(call, session, sequence)
      case "bundle.ready":
        return [
          ...progress(call, session, sequence),
          ...(event.version === 1 ? [{ type: "recording_complete", recording_id: session, preview: preview(call), sequence } as const] : [])
        ]
      case "job.failed":
      case "error.raised":
        return [{ ...problem(event.code, event.message), session, sequence }]
      default:
        return []
    }
  }

  return {
    knows: (session) => calls.has(session),
    recall: (session, past) => {
      const call = remember(session)
      for (const { event, time } of past) fold(call, event, time)
      if (past.length > 0) call.told = named(call.state)
    },
    observe: (event, time, sequence) => {
      const call = remember(event.session)
      fold(call, event, time)
      return [...changed(call, event.session, { sequence }), ...said(call, event, sequence)]
    },
    present: (session) => {
      const call = calls.get(session)
      if (call === undefined) return []
      call.told = undefined
      return changed(call, session, {})
    },
    timers: (now) =>
      [...calls].flatMap(([session, { state }]): ReadonlyArray<ServerMessage> => {
        if (state.phase !== "RECORDING" && state.phase !== "PAUSED") return []
        const before = state.spent.RECORDING ?? 0
        const running = state.phase === "RECORDING" ? Math.max(0, now - state.since) : 0
        const whole = Math.floor((before + running) / 1000)
        return [{ type: "timer", session, formatted: formatted(whole), seconds: whole }]
      })
  }
}
