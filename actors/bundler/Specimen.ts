/**
 * A small call for the tests of this folder: events, and the log they would be in.
 */
import type { AudioCaptured, EventOf, Event, Segment, SessionEvent, Transcript, Word } from "../../contract/Events.ts"
import { TIMELINE_RATE } from "../../contract/Events.ts"
import { defaultSessionConfig } from "../../contract/Session.ts"
import { subjectOf } from "../../contract/Subjects.ts"
import type { Logged } from "../../kernel/Actor.ts"

export const SESSION = "01JDABCDEFGHJKMNPQRSTVWXYZ"
const base = { v: 1, mode: "call", session: SESSION } as const
const config = defaultSessionConfig

/** Samples of so many seconds. */
export const at = (seconds: number): number => Math.round(seconds * TIMELINE_RATE)

/** Words spoken evenly from `start` to `end` (seconds); each has a leading space as Whisper gives it. */
export const wordsOf = (text: string, start: number, end: number): ReadonlyArray<Word> => {
  const all = text.split(" ")
  const step = (end - start) / all.length
  return all.map((word, index) => ({
    word: ` ${word}`,
    start: at(start + index * step),
    end: at(start + (index + 1) * step),
    probability: 0.9
  }))
}

export const segmentOf = (text: string, start: number, end: number, words = wordsOf(text, start, end)): Segment => ({
  start: at(start),
  end: at(end),
  text: ` ${text}`,
  words,
  avgLogprob: -0.2,
  noSpeechProbability: 0.01,
  compressionRatio: 1.2,
  temperature: 0
})

export const opened: EventOf<"session.opened"> = {
  _tag: "session.opened",
  ...base,
  title: "A call",
  ticket: "CASE-7",
  source: { kind: "file", name: "call.wav" },
  config,
  at: "2026-11-22T18:24:05.250Z"
}

export const captured = (audio: (typeof AudioCaptured.Type)["audio"]): EventOf<"audio.captured"> => ({
  _tag: "audio.captured",
  ...base,
  unit: 1,
  audio,
  codec: "file",
  config
})

/** Chunk `unit` from `start` to `end` seconds with speech in `speech` (seconds). */
export const chunk = (
  unit: number,
  start: number,
  end: number,
  speech: ReadonlyArray<readonly [number, number]>
): EventOf<"audio.normalized"> => ({
  _tag: "audio.normalized",
  ...base,
  unit,
  start: at(start),
  end: at(end),
  audio: { sha256: "0".repeat(64), bytes: 2 * at(end - start), mediaType: "audio/L16" },
  speech: speech.map(([from, to]) => ({ start: at(from), end: at(to) })),
  speechRatio: 0.5,
  peakDbfs: -12,
  config
})

export const completed = (chunks: number, seconds: number, speechSeconds: number): EventOf<"audio.completed"> => ({
  _tag: "audio.completed",
  ...base,
  chunks,
  samples: at(seconds),
  speechSamples: at(speechSeconds),
  sourceSampleRate: 8000,
  sourceChannels: 2
})

const engine = { engine: "test", model: "tiny", modelSha256: "ab".repeat(32), computeMs: 10, threads: 1 } as const

export const transcribed = (unit: number, segments: ReadonlyArray<Segment>, language = "en"): EventOf<"text.transcribed"> => ({
  _tag: "text.transcribed",
  ...base,
  ...engine,
  unit,
  start: segments[0]?.start ?? 0,
  end: segments.at(-1)?.end ?? 0,
  text: segments
    .map(({ text }) => text)
    .join("")
    .trim(),
  segments,
  language,
  languageProbability: 0.99,
  confidence: 0.8,
  config
})

export const rejected = (
  unit: number,
  start: number,
  end: number,
  reason: EventOf<"text.rejected">["reason"]
): EventOf<"text.rejected"> => ({
  _tag: "text.rejected",
  ...base,
  ...engine,
  unit,
  start: at(start),
  end: at(end),
  reason,
  text: ""
})

export const raised = (actor: string, unit?: number): EventOf<"error.raised"> => ({
  _tag: "error.raised",
  ...base,
  actor,
  ...(unit === undefined ? {} : { unit }),
  code: "engine.failed",
  message: "It failed.",
  recoverable: true,
  cause: "CALLS:3",
  subject: "audio.normalized.call",
  attempts: 5
})

/** The events as a log has them, from sequence 1 on. */
export const logOf = (events: ReadonlyArray<SessionEvent>): ReadonlyArray<Logged> =>
  events.map((event, index) => ({
    event,
    subject: subjectOf(event),
    stream: "CALLS",
    sequence: index + 1,
    time: 1_763_835_845_000 + index,
    actor: actorOf(event),
    cause: index === 0 ? "" : `CALLS:${index}`
  }))

const actorOf = ({ _tag }: Event): string =>
  _tag.startsWith("text.") ? "transcriber" : _tag.startsWith("session.") ? "capture" : "normalizer"

export const transcript: Transcript = {
  session: SESSION,
  version: 1,
  title: "A call",
  ticket: "CASE-7",
  startedAt: opened.at,
  language: "en",
  samples: at(4),
  text: "Hello there. Tom & Ann said <hi> --> bye.",
  segments: [
    { ...segmentOf("Hello there.", 0.5, 1.5), text: "Hello there." },
    { ...segmentOf("Tom & Ann said <hi> --> bye.", 1.5, 3.9), text: "Tom & Ann said <hi> --> bye." }
  ],
  coverage: { speechSamples: at(3), transcribedSamples: at(3), ratio: 1, gaps: [] },
  engine: "test",
  model: "tiny",
  modelSha256: "ab".repeat(32)
}

export const transcriptCompleted: EventOf<"transcript.completed"> = {
  _tag: "transcript.completed",
  ...base,
  version: 1,
  transcript: { sha256: "1".repeat(64), bytes: 10, mediaType: "application/json" },
  language: "en",
  samples: at(4),
  segments: 2,
  words: 8,
  coverage: transcript.coverage
}
