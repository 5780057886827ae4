/**
 * JSON for programs, and what `voxbus transcribe --json` prints: times in seconds with millisecond precision.
 */
import type { Transcript } from "../../../contract/Events.ts"
import type { PlainExporter } from "./Exporter.ts"
import { seconds } from "./Seconds.ts"

const probability = (value: number): number => Math.round(value * 10_000) / 10_000

/** The transcript as a program outside Voxbus sees it. */
export const transcriptJson = (transcript: Transcript) => ({
  session: transcript.session,
  title: transcript.title,
  ...(transcript.ticket === undefined ? {} : { ticket: transcript.ticket }),
  startedAt: transcript.startedAt,
  version: transcript.version,
  text: transcript.text,
  language: transcript.language,
  durationSeconds: seconds(transcript.samples),
  coverage: {
    ratio: transcript.coverage.ratio,
    speechSeconds: seconds(transcript.coverage.speechSamples),
    transcribedSeconds: seconds(transcript.coverage.transcribedSamples),
    gaps: transcript.coverage.gaps.map(({ start, end, unit, reason }) => ({
      start: seconds(start),
      end: seconds(end),
      chunk: unit,
      reason
    }))
  },
  ...(transcript.emptyReason === undefined ? {} : { emptyReason: transcript.emptyReason }),
  ...(transcript.truncated === true ? { truncated: true } : {}),
  engine: transcript.engine,
  model: transcript.model,
  modelSha256: transcript.modelSha256,
  segments: transcript.segments.map(({ start, end, text, speaker, words }) => ({
    start: seconds(start),
    end: seconds(end),
    text,
    ...(speaker === undefined ? {} : { speaker }),
    words: words.map((word) => ({
      word: word.word,
      start: seconds(word.start),
      end: seconds(word.end),
      probability: probability(word.probability)
    }))
  }))
})

export const json: PlainExporter = {
  format: "json",
  extension: "json",
  mediaType: "application/json",
  means: "Everything, with words, times in seconds and coverage",
  render: (transcript) => `${JSON.stringify(transcriptJson(transcript), null, 2)}\n`
}
