/**
 * Push to talk without the page: the microphone and the loudspeaker of the machine that Voxbus runs on. For a key of the
 * desktop, a button, a pedal: whatever can run a command or send a request.
 */
import * as Schema from "effect/Schema"
import { command } from "./Command.ts"
import { SessionId } from "./Session.ts"

export const TalkReply = Schema.Struct({
  /** The microphone is open. */
  listening: Schema.Boolean,
  /** An answer is being played. */
  playing: Schema.Boolean,
  session: Schema.optionalKey(SessionId),
  /** The turn that the last question became. */
  turn: Schema.optionalKey(Schema.Int)
})
export type TalkReply = typeof TalkReply.Type

const request = Schema.Struct({
  /** Go on with this conversation; absent: the newest that is open, or a new one. */
  session: Schema.optionalKey(SessionId),
  /** Id in `devices.list`; absent: the default microphone. The device guard has to allow it. */
  device: Schema.optionalKey(Schema.NonEmptyString)
})

export const StartTalk = command("talk.start", {
  request,
  reply: TalkReply,
  changes: true,
  means: "Opens the microphone for a question; an answer that is being played stops."
})

export const StopTalk = command("talk.stop", {
  request: Schema.Struct({}),
  reply: TalkReply,
  changes: true,
  means: "Closes the microphone: the question is complete, and its answer is played."
})

export const ToggleTalk = command("talk.toggle", {
  request,
  reply: TalkReply,
  changes: true,
  means: "Starts or stops, for a key that only knows being pressed."
})

export const TalkStatus = command("talk.status", {
  request: Schema.Struct({}),
  reply: TalkReply,
  changes: false,
  means: "Whether the microphone is open and an answer is being played."
})
