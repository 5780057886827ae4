/** The assistant's side of a turn: sentences, speech, tools; and summaries, which are answers too. */
import * as Schema from "effect/Schema"
import { BlobRef, Count, Samples, Unit, base } from "./EventBase.ts"
import { SessionConfig } from "./Session.ts"

const Generation = Count

export const ReplyDrafted = Schema.TaggedStruct("reply.drafted", {
  ...base,
  unit: Unit,
  /** Number of the sentence, from 1. */
  sentence: Unit,
  text: Schema.String,
  generation: Generation,
  /** ISO 639-1 code of the question, where it was heard and is not English: the voice goes by it. */
  language: Schema.optionalKey(Schema.String),
  config: SessionConfig
})

export const Summary = Schema.Struct({
  summary: Schema.String,
  actionItems: Schema.Array(Schema.String),
  keywords: Schema.Array(Schema.String)
})
export type Summary = typeof Summary.Type

export const ReplyReady = Schema.TaggedStruct("reply.ready", {
  ...base,
  unit: Unit,
  text: Schema.String,
  sentences: Count,
  engine: Schema.String,
  model: Schema.String,
  /** SHA-256 of the exact messages sent, as JSON. */
  contextSha256: Schema.String,
  usage: Schema.Struct({ promptTokens: Count, completionTokens: Count }),
  /** From the start of the request to the first token. */
  firstTokenMs: Schema.Finite,
  computeMs: Schema.Finite,
  /** Milliseconds by which the model was ahead: it began on a partial transcript that proved right. */
  aheadMs: Schema.optionalKey(Schema.Finite),
  finish: Schema.Literals(["stop", "length", "cancelled"]),
  generation: Generation,
  /** `turn` when absent. A `summary` was generated from the transcript of a call; nobody checked it. */
  kind: Schema.optionalKey(Schema.Literals(["turn", "summary"])),
  /** Of kind `summary`: what `text` says, taken apart. */
  summary: Schema.optionalKey(Summary)
})

/** Somebody wants a summary of a call: answered by `reply.ready` of the same unit, kind `summary`. */
export const ReplyRequested = Schema.TaggedStruct("reply.requested", {
  ...base,
  unit: Unit,
  kind: Schema.Literal("summary"),
  by: Schema.String,
  config: SessionConfig
})

export const SpeechSynthesized = Schema.TaggedStruct("speech.synthesized", {
  ...base,
  unit: Unit,
  sentence: Unit,
  text: Schema.String,
  /** `s16le` mono at `sampleRate`. */
  audio: BlobRef,
  sampleRate: Schema.Int,
  samples: Samples,
  engine: Schema.String,
  voice: Schema.String,
  computeMs: Schema.Finite,
  generation: Generation
})

const played = {
  unit: Unit,
  generation: Generation,
  /** Samples really played of the turn's audio, at its own rate. */
  samples: Samples,
  /** Sentences played to their end. */
  sentences: Count
} as const

export const SpeechHeard = Schema.TaggedStruct("speech.heard", { ...base, ...played })
export const SpeechInterrupted = Schema.TaggedStruct("speech.interrupted", { ...base, ...played })

export const TurnCancelled = Schema.TaggedStruct("turn.cancelled", {
  ...base,
  unit: Unit,
  generation: Generation,
  reason: Schema.Literals(["user", "barge_in", "timeout"])
})

/** The model wants something done. On the log before it is done; exactly one `tool.finished` of the same call follows. */
export const ToolCalled = Schema.TaggedStruct("tool.called", {
  ...base,
  unit: Unit,
  /** Number of the call in the turn, from 1, and of the answer of the model that asked for it. */
  call: Unit,
  round: Unit,
  /** The id that the model gave it. */
  id: Schema.String,
  name: Schema.String,
  /** JSON as the model wrote it. */
  arguments: Schema.String,
  generation: Generation
})

export const ToolFinished = Schema.TaggedStruct("tool.finished", {
  ...base,
  unit: Unit,
  call: Unit,
  id: Schema.String,
  name: Schema.String,
  /** False: `result` says what went wrong. */
  ok: Schema.Boolean,
  /** What the model is told. */
  result: Schema.String,
  computeMs: Schema.Finite,
  generation: Generation
})

/** The model forgets the turns up to and with `through`; the log does not. */
export const SessionCleared = Schema.TaggedStruct("session.cleared", {
  ...base,
  through: Unit,
  /** `idle`: nobody spoke for as long as `reasoner.idleMinutes` says. */
  reason: Schema.Literals(["user", "idle"]),
  by: Schema.String
})
