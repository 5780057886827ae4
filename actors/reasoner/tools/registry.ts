/** The tools there are, by the names that `session.reasoner.tools` has for them. */
import type { ReasonerOptions } from "../../../contract/Session.ts"
import { readTranscript, searchCalls } from "./calls.ts"
import { startRecording, stopRecording } from "./recording.ts"
import { time } from "./time.ts"
import { timer } from "./timer.ts"
import type { Tool } from "./Tool.ts"

type Name = Exclude<ReasonerOptions["tools"][number], "mcp">

export const BUILT_IN: Readonly<Record<Name, ReadonlyArray<Tool>>> = {
  time: [time],
  timer: [timer],
  calls: [searchCalls, readTranscript],
  recording: [startRecording, stopRecording]
}

/** The commands that they ask. */
export const ASKS = ["timers.set", "sessions.search", "transcripts.get", "recording.start", "recording.stop"] as const
