/** Starts and stops recordings, within what the device guard allows. Off unless `recording` is among the session's tools. */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { RecordingStart, RecordingStop } from "../../../contract/RecordingCommands.ts"
import { define } from "./define.ts"

/** Devices take a moment to open. */
const PATIENCE_MS = 15_000

export const startRecording = define({
  name: "start_recording",
  description: "Starts to record a call from the user's default microphone.",
  input: Schema.Struct({ title: Schema.optionalKey(Schema.String.check(Schema.isMaxLength(200))) }),
  repeatable: true,
  run: ({ title }, { ask, key }) =>
    Effect.map(
      ask(
        RecordingStart,
        { source: { kind: "device", device: "default" }, idempotencyKey: key, ...(title === undefined ? {} : { title }) },
        PATIENCE_MS
      ),
      ({ session, state }) => `The recording ${session ?? ""} is ${state}.`
    )
})

export const stopRecording = define({
  name: "stop_recording",
  description: "Stops the recording that runs; it is transcribed then.",
  input: Schema.Struct({}),
  repeatable: false,
  run: (_, { ask }) =>
    Effect.map(ask(RecordingStop, {}, PATIENCE_MS), ({ session, state }) => `The recording ${session ?? ""} is ${state}.`)
})
