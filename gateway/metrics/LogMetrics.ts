/**
 * What the log says of itself, from the moment the gateway began to look: events, how long each stage took, what the
 * engines computed, how much of the speech was transcribed. The same for actors of every process and host. Structure
 * only: kinds of events, names of actors and engines, numbers.
 */
import * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"
import * as Stream from "effect/Stream"
import { type Event, TIMELINE_RATE } from "../../contract/Events.ts"
import { NOUNS } from "../../contract/Subjects.ts"
import type { Bus } from "../../kernel/Bus.ts"
import type { Logged } from "../../kernel/Actor.ts"
import { logged } from "../../kernel/Envelope.ts"
import { endsCall } from "../../kernel/folds/JobQueue.ts"
import type { Registry } from "./Registry.ts"

/** Seconds. */
const STAGE = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300]
const RATIO = [0.5, 0.8, 0.9, 0.95, 0.98, 0.99, 0.999, 1]
/** Events whose time is remembered, for the stage that follows from them. */
const REMEMBERED = 20_000

/** Counts what it is told. */
export const makeLogMetrics = (registry: Registry) => {
  /** `stream:sequence`, or `turn <session> <unit>`, to epoch milliseconds. */
  const times = new Map<string, number>()
  const remember = (key: string, time: number) => {
    times.set(key, time)
    const [oldest] = times.keys()
    if (times.size > REMEMBERED && oldest !== undefined) times.delete(oldest)
  }

  const engine = (event: Event) => {
    if (!("computeMs" in event) || !("engine" in event)) return
    const labels = { event: event._tag, engine: event.engine, ...("model" in event ? { model: event.model } : {}) }
    registry.observe("voxbus_engine_seconds", "Compute time of one unit", STAGE, labels, event.computeMs / 1000)
    if (event._tag === "text.transcribed" || event._tag === "text.rejected")
      registry.count(
        "voxbus_engine_audio_seconds_total",
        "Audio that an engine was given",
        labels,
        (event.end - event.start) / TIMELINE_RATE
      )
    if (event._tag === "reply.ready") {
      registry.count("voxbus_tokens_total", "Tokens of a language model", { ...labels, kind: "prompt" }, event.usage.promptTokens)
      registry.count("voxbus_tokens_total", "Tokens of a language model", { ...labels, kind: "completion" }, event.usage.completionTokens)
      registry.observe("voxbus_first_token_seconds", "From a request to its first token", STAGE, labels, event.firstTokenMs / 1000)
    }
  }

  const outcome = (event: Event, time: number) => {
    switch (event._tag) {
      case "transcript.completed":
        registry.observe("voxbus_coverage_ratio", "Speech transcribed of speech detected, by call", RATIO, {}, event.coverage.ratio)
        return registry.count("voxbus_gaps_total", "Parts of calls without a transcript", {}, event.coverage.gaps.length)
      case "text.rejected":
        return registry.count("voxbus_rejected_total", "Chunks and utterances without words", { reason: event.reason })
      case "bundle.ready":
        return event.version === 1 ? registry.count("voxbus_calls_total", "Calls that ended", { outcome: "completed" }) : undefined
      case "job.failed":
        return registry.count("voxbus_calls_total", "Calls that ended", { outcome: "failed" })
      case "error.raised":
        registry.count("voxbus_errors_total", "error.raised on the log", { actor: event.actor, code: event.code })
        return event.mode === "call" && endsCall(event.actor)
          ? registry.count("voxbus_calls_total", "Calls that ended", { outcome: "failed" })
          : undefined
      case "audio.captured":
        return event.mode === "assistant" ? remember(`turn ${event.session} ${event.unit}`, time) : undefined
      case "speech.synthesized": {
        const asked = times.get(`turn ${event.session} ${event.unit}`)
        if (asked === undefined || event.sentence !== 1) return undefined
        times.delete(`turn ${event.session} ${event.unit}`)
        return registry.observe(
          "voxbus_turn_seconds",
          "From the end of a spoken question to its first audio",
          STAGE,
          {},
          (time - asked) / 1000
        )
      }
      default:
        return undefined
    }
  }

  return ({ event, stream, sequence, time, actor, cause }: Logged): void => {
    const mode = "mode" in event ? event.mode : "host"
    registry.count("voxbus_events_total", "Events on the log", { event: event._tag, actor, mode })
    const before = times.get(cause)
    if (before !== undefined)
      registry.observe(
        "voxbus_stage_seconds",
        "From an event to the one that follows from it, waiting included",
        STAGE,
        { event: event._tag, actor, mode },
        Math.max(0, time - before) / 1000
      )
    remember(`${stream}:${sequence}`, time)
    engine(event)
    outcome(event, time)
  }
}

/** Follows the log and counts. Runs for ever; after a fault of the bus it goes on where it was. */
export const followLog = (bus: Bus["Service"], registry: Registry): Effect.Effect<void> => {
  const count = makeLogMetrics(registry)
  const follow = (stream: "CALLS" | "ASSISTANT", mode: "call" | "assistant") => {
    let next: number | "new" = "new"
    return Stream.suspend(() => bus.tail(stream, { filters: NOUNS.map((noun) => `${noun}.*.${mode}.>`), from: next })).pipe(
      Stream.runForEach((recorded) => {
        next = recorded.sequence + 1
        // An event of a newer version is not counted.
        return Effect.ignore(Effect.map(logged(recorded), count))
      }),
      Effect.ignore,
      Effect.repeat(Schedule.spaced("200 millis"))
    )
  }
  return Effect.all([follow("CALLS", "call"), follow("ASSISTANT", "assistant")], { concurrency: "unbounded", discard: true })
}
