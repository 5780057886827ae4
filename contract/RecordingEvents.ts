/**
 * What happens to a live recording between `session.opened` and `session.closed`. `n` counts the events of one kind
 * within the session, from 1. The audio itself is in frames (see `framesSubject`), and counts once the log has it.
 */
import * as Schema from "effect/Schema"
import { ErrorCode } from "./Errors.ts"
import { base, Samples, Unit } from "./EventBase.ts"

const counted = { ...base, n: Unit } as const

export const Rate = Schema.Int.check(Schema.isBetween({ minimum: 8_000, maximum: 192_000 }))
export const Channels = Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 2 }))

/** Where live audio comes from: enough to open it again after a crash. */
export const LiveSource = Schema.Union([
  Schema.Struct({ kind: Schema.Literal("device"), /** Id in `devices.list`. */ device: Schema.NonEmptyString }),
  /** Played at its own speed, as if somebody were speaking. */
  Schema.Struct({ kind: Schema.Literal("file"), /** Absolute, on the host that records. */ path: Schema.NonEmptyString }),
  /** Pushed by a client (`recording.push`, the WebSocket): interleaved `s16le`. Of two channels each is one side of the call. */
  Schema.Struct({
    kind: Schema.Literal("stream"),
    name: Schema.String.check(Schema.isMaxLength(100)),
    sampleRate: Rate,
    channels: Channels
  })
])
export type LiveSource = typeof LiveSource.Type

/** The source delivers; sample 0 of the timeline is at `epochMs`. */
export const SessionStarted = Schema.TaggedStruct("session.started", {
  ...base,
  epochMs: Schema.Finite,
  sampleRate: Rate,
  channels: Channels
})

/** Recording rests; the timeline goes on, so that the pause is a gap in it. */
export const SessionPaused = Schema.TaggedStruct("session.paused", {
  ...counted,
  /** End of what is recorded. */
  at: Samples,
  /** `user`, or why the source does not deliver. */
  reason: Schema.Union([Schema.Literal("user"), ErrorCode])
})

/** It goes on; `at` is the first sample after the gap. */
export const SessionResumed = Schema.TaggedStruct("session.resumed", { ...counted, at: Samples })

/** The recorder was gone and is back; `at` is the end of what had been saved. */
export const SessionRecovering = Schema.TaggedStruct("session.recovering", { ...counted, at: Samples })

/** Thrown away by the user; `session.restored` until `untilMs` (epoch) undoes it. */
export const SessionDiscarded = Schema.TaggedStruct("session.discarded", { ...counted, untilMs: Schema.Finite })
export const SessionRestored = Schema.TaggedStruct("session.restored", counted)

/** Something the user should know while it still helps. */
export const SessionWarned = Schema.TaggedStruct("session.warned", {
  ...counted,
  kind: Schema.Literals(["clipping", "silence", "source", "disk"]),
  at: Samples,
  message: Schema.String
})

/** An idempotency key and its session; the subject is the key's hash, so a key names one session for ever. */
export const SessionKeyed = Schema.TaggedStruct("session.keyed", {
  ...base,
  keySha256: Schema.String.check(Schema.isPattern(/^[0-9a-f]{64}$/))
})

/** All of them but `session.keyed`, which belongs to the caller who started it. */
export const RECORDING_TAGS = [
  "session.started",
  "session.paused",
  "session.resumed",
  "session.recovering",
  "session.discarded",
  "session.restored",
  "session.warned"
] as const
