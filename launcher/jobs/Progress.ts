/**
 * How far a running job is and how long it will still take, from the log alone: chunks that have ended by chunks there
 * are, at the speed of this very job so far. Counts subjects, so the words of a long call are not read.
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type { Job } from "../../contract/JobCommands.ts"
import { TIMELINE_RATE } from "../../contract/Events.ts"
import { Bus } from "../../kernel/Bus.ts"
import type { QueuedJob } from "../../kernel/folds/JobQueue.ts"
import { history } from "../../kernel/History.ts"

export const progressOf = Effect.fnUntraced(function* ({ session, startedAt, queuedAt }: QueuedJob) {
  const bus = yield* Bus
  const [completed] = yield* history("call", session, ["audio.completed"])
  const settled = (yield* bus.count("CALLS", `text.*.call.${session}.*`)).size
  const chunks = completed?.event.chunks ?? (yield* bus.count("CALLS", `audio.normalized.call.${session}.*`)).size
  const elapsedMs = Math.max(0, (yield* Clock.currentTimeMillis) - (startedAt ?? queuedAt))
  const ratio = chunks === 0 ? (completed === undefined ? 0 : 1) : Math.min(1, settled / chunks)
  const audioMs = ((completed?.event.samples ?? 0) / TIMELINE_RATE) * 1000 * ratio
  const result: Exclude<Job["progress"], undefined> = {
    settled,
    chunks,
    cut: completed !== undefined,
    ratio,
    elapsedMs,
    ...(settled > 0 && completed !== undefined ? { remainingMs: Math.round((elapsedMs / settled) * (chunks - settled)) } : {}),
    ...(audioMs > 0 ? { realTimeFactor: Math.round((elapsedMs / audioMs) * 10_000) / 10_000 } : {})
  }
  return result
})
