/**
 * Uploaded files lie in `$VOXBUS_HOME/uploads` until their call is finished, cancelled or deleted; those of a call that
 * failed stay, so that it can be tried again. What no job names, and nobody is sending at the moment, is left of a crash.
 */
import * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"
import * as Stream from "effect/Stream"
import { readdir, rm } from "node:fs/promises"
import { dirname, join, relative, sep } from "node:path"
import type { EventTag } from "../../contract/Events.ts"
import { filterOf } from "../../contract/Subjects.ts"
import { Bus } from "../../kernel/Bus.ts"
import { advance, emptyQueue, QUEUE_TAGS } from "../../kernel/folds/JobQueue.ts"
import { everything } from "../../kernel/History.ts"

const ENDS = ["bundle.ready", "job.cancelled"] as const satisfies ReadonlyArray<EventTag>

/** Name of the folder below `uploads` that a path is in, if it is. */
export const uploadOf = (uploads: string, path: string): string | undefined => {
  const inside = relative(uploads, dirname(path))
  return inside === "" || inside.startsWith("..") || inside.includes(sep) ? undefined : inside
}

/** Removes what is not wanted any more. */
export const sweep = Effect.fnUntraced(function* (
  uploads: string,
  arriving: ReadonlySet<string>,
  deleted: ReadonlySet<string> = new Set()
) {
  // Looked at before the log: what comes after it is not touched.
  const there = yield* Effect.promise(() => readdir(uploads).catch((): Array<string> => []))
  const candidates = there.filter((name) => !arriving.has(name))
  if (candidates.length === 0) return
  const { jobs } = advance(emptyQueue, yield* everything("call", QUEUE_TAGS, 1))
  const wanted = new Set(
    [...jobs.values()].flatMap(({ session, state, job: { path } }) =>
      path === undefined || state === "done" || state === "cancelled" || deleted.has(session) ? [] : [uploadOf(uploads, path)]
    )
  )
  for (const name of candidates)
    if (!wanted.has(name)) yield* Effect.promise(() => rm(join(uploads, name), { recursive: true, force: true }))
})

/** At the start, and after every call that ends or is deleted. Runs for ever. */
export const keepSwept = (uploads: string, arriving: ReadonlySet<string>): Effect.Effect<void, never, Bus> =>
  Effect.gen(function* () {
    const bus = yield* Bus
    const ends = Stream.merge(
      bus.tail("CALLS", { filters: ENDS.map((tag) => filterOf(tag, "call")), from: "new" }),
      bus.tail("TOMBSTONES", { filters: [filterOf("tombstone.written", "call")], from: "new" })
    )
    const deleted = new Set<string>()
    const once = Effect.suspend(() => sweep(uploads, arriving, deleted)).pipe(
      Effect.catch((failure) => Effect.logDebug("uploads not swept").pipe(Effect.annotateLogs({ reason: failure.message })))
    )
    yield* once
    yield* ends.pipe(
      // The tombstone comes before the events of its session go.
      Stream.tap(({ subject }) =>
        Effect.sync(() => (subject.startsWith("tombstone.") ? deleted.add(subject.split(".")[3] ?? "") : undefined))
      ),
      Stream.groupedWithin(1_000, "500 millis"),
      Stream.runForEach(() => once),
      Effect.ignore,
      Effect.repeat(Schedule.spaced("1 second"))
    )
  })
