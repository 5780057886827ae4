/** The state of a call for whoever asks: the fold of its events, with what the running recorder knows since. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import { TIMELINE_RATE } from "../../contract/Events.ts"
import { RECORDING_TAGS } from "../../contract/RecordingEvents.ts"
import type { RecordingStatusReply } from "../../contract/RecordingCommands.ts"
import type { SessionId } from "../../contract/Session.ts"
import type { Bus } from "../../kernel/Bus.ts"
import { type Failure, Terminal } from "../../kernel/Failure.ts"
import { callState, initial, timers } from "../../kernel/folds/CallState.ts"
import { history } from "../../kernel/History.ts"
import type { Recording } from "./Recording.ts"

const FOLDED = [
  "session.opened",
  ...RECORDING_TAGS,
  "session.closed",
  "audio.captured",
  "audio.normalized",
  "audio.completed",
  "text.transcribed",
  "text.rejected",
  "transcript.completed",
  "bundle.ready",
  "job.failed",
  "error.raised"
] as const

const nothing: RecordingStatusReply = {
  state: "IDLE",
  stateSeconds: 0,
  elapsedSeconds: 0,
  recordedSeconds: 0,
  title: "",
  source: "",
  samples: 0,
  chunks: 0,
  settledChunks: 0,
  timers: {}
}

const seconds = (milliseconds: number) => Math.round(milliseconds) / 1000

/** @param recording the one that runs, if it is this session's */
export const statusOf = Effect.fnUntraced(function* (
  session: SessionId | undefined,
  recording: Recording | undefined
): Effect.fn.Return<RecordingStatusReply, Failure, Bus> {
  if (session === undefined) return nothing
  const past = yield* history("call", session, FOLDED)
  const state = past.length === 0 ? initial : callState(past)
  if (past.length === 0) return yield* new Terminal({ code: "session.unknown", message: `There is no call ${session}.` })
  const now = yield* Clock.currentTimeMillis
  const view = recording?.view()
  const recorded = past.reduce(
    (sum, { event }) => sum + (event._tag === "audio.captured" ? (event.samples ?? 0) / (event.sampleRate ?? 1) : 0),
    0
  )
  const problem = view?.problem ?? state.problem
  const reply: RecordingStatusReply = {
    session,
    state: state.phase,
    stateSeconds: seconds(Math.max(0, now - state.since)),
    elapsedSeconds: seconds(Math.max(0, now - state.openedAt)),
    recordedSeconds: seconds((view === undefined ? recorded : view.recorded / TIMELINE_RATE) * 1000),
    title: state.title,
    ...(state.ticket === undefined ? {} : { ticket: state.ticket }),
    source: state.source,
    samples: Math.max(state.samples, view?.position ?? 0),
    chunks: state.chunks,
    settledChunks: state.settled.size,
    timers: timers(state, now),
    ...(state.undoUntilMs === undefined ? {} : { undoUntilMs: state.undoUntilMs }),
    ...(problem === undefined ? {} : { problem })
  }
  return reply
})
