/**
 * The workflow of a call: one pure fold over its events. The state is never stored; it is what the log says, so it is
 * the same before and after a crash, and for every process that asks.
 *
 * `MATRIX` has every allowed transition. An event moves along one or more of them; one that would need a transition
 * which is not there is refused: the state stays and `refused` says what was tried.
 */
import type { SessionEvent } from "../../contract/Events.ts"
import type { CallPhase } from "../../contract/RecordingCommands.ts"

/** From a state to the states that may follow. */
export const MATRIX: Readonly<Record<CallPhase, ReadonlyArray<CallPhase>>> = {
  IDLE: ["INITIALIZING", "RECOVERING"],
  INITIALIZING: ["RECORDING", "ERROR"],
  RECORDING: ["PAUSED", "STOPPING", "ERROR"],
  PAUSED: ["RECORDING", "STOPPING", "ERROR"],
  // To IDLE when it is cancelled or discarded.
  STOPPING: ["NORMALIZING", "IDLE", "ERROR"],
  NORMALIZING: ["TRANSCRIBING", "ERROR"],
  TRANSCRIBING: ["BUNDLING", "COMPLETED", "ERROR"],
  BUNDLING: ["COMPLETED", "ERROR"],
  COMPLETED: ["IDLE"],
  ERROR: ["IDLE", "RECOVERING"],
  // To RECORDING, PAUSED and STOPPING when the recorder itself was gone.
  RECOVERING: ["IDLE", "RECORDING", "PAUSED", "STOPPING", "NORMALIZING", "TRANSCRIBING", "BUNDLING", "ERROR"]
}

export const PHASES = Object.keys(MATRIX) as ReadonlyArray<CallPhase>

export const allowed = (from: CallPhase, to: CallPhase): boolean => MATRIX[from].includes(to)

export interface CallState {
  readonly phase: CallPhase
  /** Epoch milliseconds at which the state began; 0 before the first event. */
  readonly since: number
  /** Epoch milliseconds of the first event. */
  readonly openedAt: number
  /** Milliseconds spent in each state that has been left. */
  readonly spent: Readonly<Partial<Record<CallPhase, number>>>
  readonly title: string
  readonly ticket?: string
  readonly source: string
  readonly live: boolean
  /** End of what is recorded and reported by an event, 16 kHz samples. */
  readonly samples: number
  readonly chunks: number
  /** How many chunks there will be; absent until all audio is cut. */
  readonly expected?: number
  readonly settled: ReadonlySet<number>
  readonly undoUntilMs?: number
  readonly problem?: string
  /** The transition that the last event wanted and the matrix forbids. */
  readonly refused?: { readonly from: CallPhase; readonly to: CallPhase }
}

export const initial: CallState = {
  phase: "IDLE",
  since: 0,
  openedAt: 0,
  spent: {},
  title: "",
  source: "",
  live: false,
  samples: 0,
  chunks: 0,
  settled: new Set()
}

/** One transition; a forbidden one leaves the state as it is. */
export const move = (state: CallState, to: CallPhase, at: number): CallState => {
  if (!allowed(state.phase, to)) return { ...state, refused: { from: state.phase, to } }
  const spent = { ...state.spent, [state.phase]: (state.spent[state.phase] ?? 0) + Math.max(0, at - (state.since || at)) }
  return { ...state, phase: to, since: at, spent }
}

/** Several transitions, all or none. */
const path = (state: CallState, to: ReadonlyArray<CallPhase>, at: number): CallState => {
  let next = state
  for (const each of to) {
    next = move(next, each, at)
    if (next.refused !== undefined) return { ...state, refused: next.refused }
  }
  return next
}

/** Work that goes on after an error was put right: by way of RECOVERING. */
const towards = (state: CallState, to: CallPhase, at: number): CallState => {
  if (state.phase === to) return state
  return path(state, state.phase === "ERROR" ? ["RECOVERING", to] : [to], at)
}

const settle = (state: CallState, unit: number, at: number): CallState => {
  const next = { ...state, settled: new Set(state.settled).add(unit) }
  return bundling(next, at)
}

/** All chunks have come to their end. */
const bundling = (state: CallState, at: number): CallState => {
  const done = state.expected !== undefined && state.settled.size >= state.expected
  return done && (state.phase === "TRANSCRIBING" || state.phase === "ERROR") ? towards(state, "BUNDLING", at) : state
}

const stopping = (state: CallState, reason: string, at: number): CallState => {
  const ended = reason === "cancelled" ? "IDLE" : "NORMALIZING"
  // An import is recorded the moment its file is stored; ERROR: the recorder was lost and nobody came back.
  const before: ReadonlyArray<CallPhase> =
    state.phase === "STOPPING"
      ? []
      : state.phase === "INITIALIZING"
        ? ["RECORDING", "STOPPING"]
        : state.phase === "ERROR"
          ? ["RECOVERING", "STOPPING"]
          : ["STOPPING"]
  return path(state, [...before, ended], at)
}

const apply = (state: CallState, event: SessionEvent, at: number): CallState => {
  switch (event._tag) {
    case "session.opened": {
      const known = event.ticket === undefined ? {} : { ticket: event.ticket }
      const named = { ...state, ...known, title: event.title, source: event.source.name, live: event.live !== undefined, openedAt: at }
      return path(named, ["INITIALIZING"], at)
    }
    case "session.started":
      return towards(state, "RECORDING", at)
    case "session.paused":
      return towards(
        { ...state, samples: Math.max(state.samples, event.at), ...(event.reason === "user" ? {} : { problem: event.reason }) },
        "PAUSED",
        at
      )
    case "session.resumed":
      return towards({ ...state, samples: Math.max(state.samples, event.at) }, "RECORDING", at)
    case "session.recovering":
      return path(
        { ...state, samples: event.at },
        state.phase === "ERROR" ? ["RECOVERING"] : state.phase === "RECOVERING" ? [] : ["ERROR", "RECOVERING"],
        at
      )
    case "session.discarded":
      return path({ ...state, undoUntilMs: event.untilMs }, ["STOPPING"], at)
    case "session.restored": {
      const { undoUntilMs: _, ...kept } = state
      return kept
    }
    case "session.warned":
      return { ...state, problem: event.message }
    case "session.closed":
      return stopping(state, event.reason, at)
    case "audio.normalized":
      return { ...state, chunks: Math.max(state.chunks, event.unit) }
    case "audio.completed":
      return bundling(towards({ ...state, expected: event.chunks, chunks: event.chunks, samples: event.samples }, "TRANSCRIBING", at), at)
    case "text.transcribed":
    case "text.rejected":
      // Further versions of the transcript change nothing of how the call was recorded.
      return event.version !== undefined ? state : settle(state, event.unit, at)
    case "transcript.completed":
      return towards(state, "BUNDLING", at)
    case "bundle.ready":
      return path(state, state.phase === "ERROR" ? ["RECOVERING", "BUNDLING", "COMPLETED"] : ["COMPLETED"], at)
    case "job.failed":
      return path({ ...state, problem: event.message }, ["ERROR"], at)
    case "error.raised":
      // A chunk that was given up is a gap in the transcript, not the end of the call.
      return event.unit !== undefined && event.actor === "transcriber"
        ? settle({ ...state, problem: event.message }, event.unit, at)
        : path({ ...state, problem: event.message }, ["ERROR"], at)
    default:
      return state
  }
}

/**
 * The state after one more event.
 *
 * @param at epoch milliseconds at which the log took it
 */
export const step = (state: CallState, event: SessionEvent, at: number): CallState => {
  const { refused: _, ...before } = state
  return apply(before, event, at)
}

/** The state after these events, in the order of the log. */
export const callState = (entries: ReadonlyArray<{ readonly event: SessionEvent; readonly time: number }>): CallState =>
  entries.reduce((state, { event, time }) => step(state, event, time), initial)

/** Seconds spent in each state, the present one included. */
export const timers = (state: CallState, now: number): Readonly<Record<string, number>> => {
  const running = state.since === 0 ? 0 : Math.max(0, now - state.since)
  const all = { ...state.spent, [state.phase]: (state.spent[state.phase] ?? 0) + running }
  return Object.fromEntries(Object.entries(all).map(([phase, ms]) => [phase, Math.round(ms) / 1000]))
}
