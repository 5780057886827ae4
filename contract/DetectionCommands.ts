/** Calls that other programs are in: who uses a microphone now, and whether it is to be recorded. */
import * as Schema from "effect/Schema"
import { command } from "./Command.ts"
import { SessionId } from "./Session.ts"

export const DetectedCall = Schema.Struct({
  /** Names it until it has ended. */
  call: Schema.String,
  application: Schema.String,
  /** Epoch milliseconds. */
  startedAtMs: Schema.Finite,
  seconds: Schema.Finite,
  /** Somebody should say whether it is to be recorded. */
  asks: Schema.Boolean,
  recordedAs: Schema.optionalKey(SessionId)
})
export type DetectedCall = typeof DetectedCall.Type

const reply = Schema.Struct({
  mode: Schema.Literals(["off", "notify", "ask"]),
  /** Whether this machine can tell, and if not why. */
  available: Schema.Boolean,
  detail: Schema.String,
  calls: Schema.Array(DetectedCall)
})
export type DetectionReply = typeof reply.Type

export const DetectionStatus = command("detection.status", {
  request: Schema.Struct({}),
  reply,
  changes: false,
  means: "Programs that use a microphone now. Off unless `recording.detect` is set."
})

export const DetectionAnswer = command("detection.answer", {
  request: Schema.Struct({ call: Schema.NonEmptyString, record: Schema.Boolean }),
  reply,
  changes: true,
  means: "Records a detected call until it ends, or leaves it alone."
})
