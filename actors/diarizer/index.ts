/** The diarizer: who speaks in a finished call. */
export { diarizerActor } from "./Diarizer.ts"
