/**
 * Voice activity: which samples of the timeline are speech, found while the audio streams by (Silero through
 * sherpa-onnx). The spans choose where to cut and are what coverage is measured against; audio is never spliced.
 *
 * Speech that the detector misses is gone from the transcript, so the threshold is low, and the chunker adds 300 ms of
 * real audio around every span. It is synchronous native code, 0.1 ms per window of 32 ms: feed it half a second at a
 * time.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import { TIMELINE_RATE } from "../../contract/Events.ts"
import { describe, Terminal } from "../../kernel/Failure.ts"
import { Models } from "../../kernel/Models.ts"
import { loadSherpa, type SherpaVad } from "../../kernel/Sherpa.ts"
import { Settings } from "../../kernel/Settings.ts"
import type { Span } from "./Chunker.ts"
import { energyDetector } from "./EnergyVad.ts"

const WINDOW = 512
/** Probability from which a window is speech; Silero's own default is 0.5. */
const THRESHOLD = 0.35
/** Seconds. Short, because every pause is a place to cut. */
const MIN_SPEECH = 0.1
const MIN_SILENCE = 0.1
/** Windows (5.1 s) after which speech in progress is handed on in pieces: memory stays flat however long it lasts. */
const PIECE = 160
/** Samples before the newest window in which the detector may still find a beginning of speech. */
const LOOK_BACK = TIMELINE_RATE * 0.5
const BUFFER_SECONDS = 30

/** Progress of a detector. */
export interface Detected {
  /** New spans, in order and disjoint; one that touches the last continues it. */
  readonly spans: ReadonlyArray<Span>
  /** No span that comes later begins before this sample. */
  readonly settled: number
  /** Somebody speaks at the newest sample, as far as whole windows tell. */
  readonly speaking: boolean
}

export interface Detector {
  /** Takes the next samples; the result does not depend on how they are cut into blocks, only when it comes. */
  readonly push: (block: Int16Array) => Detected
  /** The rest, after the last block. */
  readonly finish: () => Detected
}

export class Vad extends Context.Service<
  Vad,
  {
    /** A detector at sample 0, for one recording. Native models are reused: the first one takes 100-200 ms, the others nothing. */
    readonly detector: Effect.Effect<Detector, Terminal, Scope.Scope>
  }
>()("voxbus/normalizer/Vad") {
  static readonly layer: Layer.Layer<Vad, never, Models | Settings> = Layer.effect(
    Vad,
    Effect.flatMap(Settings, ({ session }) =>
      // With the test-kit's speech recognition there is no model to load at all.
      session.transcriber.engine === "testkit" ? Effect.succeed(Vad.of({ detector: Effect.sync(energyDetector) })) : make
    )
  )
}

const make = Effect.gen(function* () {
  const models = yield* Models
  const idle: Array<SherpaVad> = []

  const create = Effect.gen(function* () {
    const model = yield* models.locate("silero-vad")
    return yield* Effect.try({
      try: () => new (loadSherpa().Vad)(config(model.path("model")), BUFFER_SECONDS),
      catch: (cause) =>
        new Terminal({
          code: "engine.unavailable",
          message: `The voice activity detector cannot be loaded: ${describe(cause)}. Run npm install again, then: npx voxbus models fetch silero-vad`,
          cause
        })
    })
  })

  const native = Effect.acquireRelease(
    Effect.suspend(() => {
      const reused = idle.pop()
      return reused === undefined ? create : Effect.succeed(reused)
    }),
    (vad) =>
      Effect.sync(() => {
        while (!vad.isEmpty()) vad.pop()
        vad.reset()
        idle.push(vad)
      })
  )

  return Vad.of({ detector: Effect.map(native, makeDetector) })
})

const config = (model: string) => ({
  sileroVad: {
    model,
    threshold: THRESHOLD,
    minSpeechDuration: MIN_SPEECH,
    minSilenceDuration: MIN_SILENCE,
    windowSize: WINDOW,
    // Never reached, see PIECE; past it sherpa would raise the threshold.
    maxSpeechDuration: 60
  },
  sampleRate: TIMELINE_RATE,
  numThreads: 1,
  debug: false
})

/** Feeds whole windows to the native detector and collects its segments. */
const makeDetector = (vad: SherpaVad): Detector => {
  const window = new Float32Array(WINDOW)
  let filled = 0
  let total = 0
  let windows = 0
  let speaking = 0
  let settled = 0

  const collect = (into: Array<Span>) => {
    while (!vad.isEmpty()) {
      const { start, samples } = vad.front(false)
      vad.pop()
      // The last window is padded: nothing of it lies beyond the end.
      const end = Math.min(start + samples.length, total)
      if (end > start) into.push({ start, end })
      settled = Math.max(settled, end)
    }
  }

  const accept = (into: Array<Span>) => {
    vad.acceptWaveform(window)
    filled = 0
    windows += 1
    speaking = vad.isDetected() ? speaking + 1 : 0
    if (speaking === PIECE) {
      vad.flush()
      speaking = 0
    }
    if (speaking === 0) settled = Math.max(settled, windows * WINDOW - LOOK_BACK)
    collect(into)
  }

  return {
    push: (block) => {
      const spans: Array<Span> = []
      for (const sample of block) {
        window[filled++] = sample / 32768
        total += 1
        if (filled === WINDOW) accept(spans)
      }
      return { spans, settled, speaking: speaking > 0 }
    },
    finish: () => {
      const spans: Array<Span> = []
      if (filled > 0) {
        window.fill(0, filled)
        accept(spans)
      }
      vad.flush()
      collect(spans)
      return { spans, settled: total, speaking: false }
    }
  }
}
