/** Capture: audio from outside becomes sessions on the log. */
export { captureActor } from "./Capture.ts"
export { type OpenOptions, Recorder, type Session, type Take } from "./Recorder.ts"
