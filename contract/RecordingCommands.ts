/** Live recording: what a person or a program can do with it. All times are seconds, positions samples at 16 kHz. */
import * as Schema from "effect/Schema"
import { command, type CommandSpec } from "./Command.ts"
import { LiveSource } from "./RecordingEvents.ts"
import { SessionConfig, SessionId, TicketId } from "./Session.ts"

/** States of a call. IDLE: there is none, or it was thrown away. */
export const CallPhase = Schema.Literals([
  "IDLE",
  "INITIALIZING",
  "RECORDING",
  "PAUSED",
  "STOPPING",
  "NORMALIZING",
  "TRANSCRIBING",
  "BUNDLING",
  "COMPLETED",
  "ERROR",
  "RECOVERING"
])
export type CallPhase = typeof CallPhase.Type

const Seconds = Schema.Finite

export const RecordingStatusReply = Schema.Struct({
  session: Schema.optionalKey(SessionId),
  state: CallPhase,
  /** In this state, and since the session opened. */
  stateSeconds: Seconds,
  elapsedSeconds: Seconds,
  /** Recorded audio, without the gaps. */
  recordedSeconds: Seconds,
  title: Schema.String,
  ticket: Schema.optionalKey(TicketId),
  source: Schema.String,
  /** End of what is saved, on the timeline. */
  samples: Schema.Int,
  chunks: Schema.Int,
  settledChunks: Schema.Int,
  /** Seconds each state has taken so far. */
  timers: Schema.Record(Schema.String, Seconds),
  /** Until when a discarded recording can be restored, epoch milliseconds. */
  undoUntilMs: Schema.optionalKey(Schema.Finite),
  /** What went wrong last, for a person. */
  problem: Schema.optionalKey(Schema.String)
})
export type RecordingStatusReply = typeof RecordingStatusReply.Type

/** Without a session: the recording that runs. */
const which = Schema.Struct({ session: Schema.optionalKey(SessionId) })

export const RecordingStart = command("recording.start", {
  request: Schema.Struct({
    source: LiveSource,
    title: Schema.optionalKey(Schema.String.check(Schema.isMaxLength(200))),
    ticket: Schema.optionalKey(TicketId),
    /** The same key gives the same session, for ever. */
    idempotencyKey: Schema.optionalKey(Schema.String.check(Schema.isPattern(/^[\x21-\x7e]{1,128}$/))),
    config: Schema.optionalKey(SessionConfig)
  }),
  reply: RecordingStatusReply,
  changes: true,
  means: "Starts to record a call."
})

const act = (name: string, means: string) =>
  command(`recording.${name}`, { request: which, reply: RecordingStatusReply, changes: true, means })

export const RecordingPause = act("pause", "Pauses; the pause becomes a gap in the timeline.")
export const RecordingResume = act("resume", "Goes on after a pause.")
export const RecordingStop = act("stop", "Ends the recording; transcript and bundle follow by themselves.")
export const RecordingCancel = act("cancel", "Ends the recording and deletes its audio at once.")
export const RecordingDiscard = act("discard", "Ends the recording and deletes it after the time to undo it.")
export const RecordingUndo = act("undo", "Takes a discard back: the recording is finished like any other.")

export const RecordingStatus = command("recording.status", {
  request: which,
  reply: RecordingStatusReply,
  changes: false,
  means: "State, timers and progress of a call; without a session, of the one being recorded."
})

export const RecordingPush = command("recording.push", {
  request: Schema.Struct({
    session: SessionId,
    /** Interleaved `s16le`, base64; at most 512 KiB of it. Empty: only asks for the position. */
    pcm: Schema.String.check(Schema.isMaxLength(700_000))
  }),
  /** Per channel at the source's rate: how many are saved, and which is to come next. */
  reply: Schema.Struct({
    /** Audio is taken while it says `recording`. */
    state: Schema.Literals(["recording", "paused", "waiting", "discarded", "ended"]),
    samples: Schema.Int,
    next: Schema.Int
  }),
  changes: false,
  writes: true,
  means:
    "Audio for a recording of kind `stream`; answered when it is taken, in order; else it fails with recording.state. After a break send from `next` on."
})

export const Device = Schema.Struct({
  id: Schema.String,
  name: Schema.String,
  /** `monitor`: what the machine plays. */
  kind: Schema.Literals(["microphone", "monitor", "unknown"]),
  channels: Schema.Int,
  sampleRate: Schema.Int,
  isDefault: Schema.Boolean,
  allowed: Schema.Boolean,
  /** Why it is allowed or not. */
  reason: Schema.String
})
export type Device = typeof Device.Type

export const DevicesList = command("devices.list", {
  request: Schema.Struct({}),
  reply: Schema.Struct({ devices: Schema.Array(Device) }),
  changes: false,
  means: "The recording devices of the machine and what the guard says of them."
})

export const DevicesAllow = command("devices.allow", {
  request: Schema.Struct({ pattern: Schema.NonEmptyString, allow: Schema.Boolean }),
  reply: Schema.Struct({ devices: Schema.Array(Device) }),
  changes: true,
  means: "Puts a device on the allowlist, or on the blocklist with `allow: false`."
})

export const RECORDING_COMMANDS: ReadonlyArray<CommandSpec> = [
  RecordingStart,
  RecordingPause,
  RecordingResume,
  RecordingStop,
  RecordingCancel,
  RecordingDiscard,
  RecordingUndo,
  RecordingStatus,
  RecordingPush,
  DevicesList,
  DevicesAllow
]
