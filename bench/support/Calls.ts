/** A call through the whole pipeline of a running instance, and what its event log says of the time it took. */
import * as Effect from "effect/Effect"
import type { EventTag } from "../../contract/Events.ts"
import { TIMELINE_RATE } from "../../contract/Events.ts"
import { defaultSessionConfig } from "../../contract/Session.ts"
import type { Logged } from "../../kernel/Actor.ts"
import { runCall } from "../../launcher/Call.ts"

export interface MeasuredCall {
  readonly text: string
  /** `audio.normalized` of the first chunk until the last `text.*`: what transcription took. */
  readonly transcriptionMs: number
  /** `job.queued` until `bundle.ready`. */
  readonly pipelineMs: number
  /** Sum of what the engine computed, one thread each. */
  readonly computeMs: number
  /** Seconds. */
  readonly chunks: ReadonlyArray<readonly [start: number, end: number]>
  /** From `job.queued`, milliseconds: when each thing was on the log. */
  readonly at: Readonly<Record<string, number>>
}

const isText = ({ event }: Logged) => event._tag === "text.transcribed" || event._tag === "text.rejected"

/** What the log of a call says. */
export const measure = (events: ReadonlyArray<Logged>, text: string): MeasuredCall => {
  const timeOf = (tag: EventTag) => events.find(({ event }) => event._tag === tag)?.time ?? 0
  const queued = timeOf("job.queued")
  const texts = events.filter(isText)
  const last = Math.max(...texts.map(({ time }) => time))
  const at = (time: number) => Math.round(time - queued)
  return {
    text,
    transcriptionMs: last - timeOf("audio.normalized"),
    pipelineMs: timeOf("bundle.ready") - queued,
    computeMs: texts.reduce((total, { event }) => total + ("computeMs" in event ? event.computeMs : 0), 0),
    chunks: events.flatMap(({ event }) =>
      event._tag === "audio.normalized" ? [[event.start / TIMELINE_RATE, event.end / TIMELINE_RATE] as const] : []
    ),
    at: {
      captured: at(timeOf("audio.captured")),
      firstChunk: at(timeOf("audio.normalized")),
      allChunks: at(timeOf("audio.completed")),
      firstText: at(Math.min(...texts.map(({ time }) => time))),
      lastText: at(last),
      transcript: at(timeOf("transcript.completed")),
      bundle: at(timeOf("bundle.ready"))
    }
  }
}

/** Runs a file as a call with the default configuration. Needs the bus of an instance. */
export const measuredCall = Effect.fnUntraced(function* (path: string) {
  const events: Array<Logged> = []
  const { transcript } = yield* runCall({ path, config: defaultSessionConfig }, (entry) => Effect.sync(() => void events.push(entry)))
  return measure(events, transcript.text)
})
