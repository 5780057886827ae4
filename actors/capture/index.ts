/** Capture: audio from outside becomes sessions on the log. */
export { captureActor, makeCapture } from "./Capture.ts"
export { deviceSource } from "./sources/devices.ts"
export { addressed, type OpenOptions, Recorder, type Session, type Take } from "./Recorder.ts"
export { Detection } from "./detect/Detection.ts"
export { type Feed } from "./Feed.ts"
export { Recordings, type StartOptions } from "./Recordings.ts"
export { type Recording, type Wish } from "./Recording.ts"
export { statusOf } from "./Status.ts"
