/**
 * What a speech-to-text engine is to the transcriber: PCM in, words with times and probabilities out.
 *
 * An engine reports what it heard and how sure it was; whether that is speech at all is `Verdict.ts`'s decision, the
 * same for every engine. It takes its threads from `Cores` itself, because only it knows when it really stops computing.
 */
import type * as Effect from "effect/Effect"
import type { Word } from "../../contract/Events.ts"
import type { TranscriberOptions } from "../../contract/Session.ts"
import type { Bytes } from "../../kernel/Bus.ts"
import type { Failure } from "../../kernel/Failure.ts"

/** Samples of the 16 kHz timeline; `end` is exclusive. */
export interface Span {
  readonly start: number
  readonly end: number
}

/** Longest clip an engine takes: Whisper's window. `Windows.ts` cuts what is longer. */
export const LONGEST = 30 * 16_000

export interface EngineRequest {
  /** `interactive`: somebody waits for this one. `batch`: throughput counts. */
  readonly lane: "interactive" | "batch"
  /** 16 kHz mono `s16le`, at most `LONGEST` samples. */
  readonly pcm: Bytes
  /** Place of the first sample on the session's timeline. */
  readonly start: number
  /** Where the voice activity detector found speech, on the same timeline. */
  readonly speech: ReadonlyArray<Span>
  readonly options: TranscriberOptions
}

export interface EngineResult {
  /** On the session's timeline. `word` keeps the space the model put before it: joined they are the text. */
  readonly words: ReadonlyArray<Word>
  readonly language: string
  /** 1 where the language was given, 0 where the engine does not say. */
  readonly languageProbability: number
  /** Mean log probability of the tokens. */
  readonly avgLogprob: number
  /** 0 where the engine does not say. */
  readonly noSpeechProbability: number
  readonly temperature: number
  /** Share of this unit in the compute time of its pass, and the threads it was granted. */
  readonly computeMs: number
  readonly threads: number
  readonly model: string
  /** Empty for a remote engine. */
  readonly modelSha256: string
  /** Who did it, where those asked are several. */
  readonly engine?: string
}

export interface Engine {
  readonly name: string
  /** Most samples it takes at once; `LONGEST` by default. */
  readonly longest?: number
  /** It may send audio to another machine, which costs: nothing is sent to warm it up. */
  readonly remote?: boolean
  /** Of the process it computes in, while there is one. */
  readonly pid: () => number | undefined
  /** Loads a model, so that the first request does not wait for it. */
  readonly prepare: (model: string) => Effect.Effect<void, Failure>
  readonly transcribe: (request: EngineRequest) => Effect.Effect<EngineResult, Failure>
}
