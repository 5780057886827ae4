/**
 * Deletes a session so that it is gone: its events, audio frames, blobs and dead letters are overwritten in the server's
 * files, its rows in the index, and the files Voxbus wrote for it are removed. What stays is a tombstone: who, when, and
 * the hashes by which a copy of the bundle can be told.
 *
 * The tombstone is written first. A deletion that was cut short by a crash is finished by `finishErasing` at the next start.
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import { readdir, rm, rmdir } from "node:fs/promises"
import { basename, isAbsolute, join } from "node:path"
import type { EventOf } from "../contract/Events.ts"
import { Mode, type SessionId } from "../contract/Session.ts"
import { blobStream, eventStream, frameStream, framesSubject, sessionFilters, shadowSubject } from "../contract/Subjects.ts"
import { Bus } from "../kernel/Bus.ts"
import { encode, logged } from "../kernel/Envelope.ts"
import { Terminal } from "../kernel/Failure.ts"
import { history } from "../kernel/History.ts"
import { Settings } from "../kernel/Settings.ts"
import * as Stream from "effect/Stream"
import { Library } from "./Library.ts"

export interface EraseOptions {
  readonly by: string
  readonly reason: "user" | "retention"
  /** Also while work on it goes on. */
  readonly force: boolean
}

/** States in which no actor has anything left to do. */
const AT_REST: ReadonlyArray<string> = ["completed", "cancelled", "failed"]

/** The product a session belongs to; fails with `session.unknown`. */
export const modeOf = Effect.fnUntraced(function* (session: SessionId) {
  const bus = yield* Bus
  for (const mode of Mode.literals) {
    const found = yield* bus.last(eventStream(mode), [`job.queued.${mode}.${session}`, `session.opened.${mode}.${session}`])
    if (found.length > 0) return mode
  }
  return yield* new Terminal({ code: "session.unknown", message: `There is no session ${session}.` })
})

/** Everything the server's files hold of a session; returns how many events there were. */
const eraseStreams = Effect.fnUntraced(function* (mode: Mode, session: SessionId) {
  const bus = yield* Bus
  yield* bus.erase(frameStream(mode), framesSubject(mode, session))
  yield* bus.erase(blobStream(mode), `blobs.${mode}.${session}.>`)
  // After the actor's name stands a subject such as those below, or one of a dead letter.
  for (const filter of [...sessionFilters(mode, session), `dlq.*.${mode}.${session}`, `dlq.*.${mode}.${session}.>`])
    yield* bus.erase("SHADOW", shadowSubject("*", filter))
  for (const filter of [`dlq.*.${mode}.${session}`, `dlq.*.${mode}.${session}.>`]) yield* bus.erase("DLQ", filter)
  // Last, as they say what the session is: a second run finds its way.
  const counts = yield* Effect.forEach(sessionFilters(mode, session), (filter) => bus.erase(eventStream(mode), filter))
  return counts.reduce((sum, count) => sum + count, 0)
})

/** Removes what Voxbus wrote into an output folder, and the folder when nothing else is in it. */
const removeFolder = (event: EventOf<"bundle.ready">) =>
  Effect.promise(async (): Promise<ReadonlyArray<string>> => {
    if (!isAbsolute(event.folder)) return []
    // A plain name only: an event must not lead out of its folder.
    for (const { name } of event.files)
      if (name === basename(name)) await rm(join(event.folder, name), { force: true }).catch(() => undefined)
    const left = await readdir(event.folder).catch(() => [])
    if (left.length === 0) await rmdir(event.folder).catch(() => undefined)
    return left.map((name) => join(event.folder, name))
  })

/** Further versions lie inside the folder of the first: the deepest first. */
const removeFolders = Effect.fnUntraced(function* (bundles: ReadonlyArray<EventOf<"bundle.ready">>) {
  const deepestFirst = bundles.toSorted((a, b) => b.folder.length - a.folder.length)
  return (yield* Effect.forEach(deepestFirst, removeFolder)).flat()
})

const removeAnswer = (outputFolder: string, session: SessionId) =>
  Effect.promise(() => rm(join(outputFolder, "answers", `${session}.wav`), { force: true }).catch(() => undefined))

/** Deletes a session; the answer says how much, and which files in its folder are not ours. */
export const eraseSession = Effect.fnUntraced(function* (session: SessionId, { by, reason, force }: EraseOptions) {
  const bus = yield* Bus
  const settings = yield* Settings
  const library = yield* Library
  const mode = yield* modeOf(session)
  const known = yield* Effect.option(library.get(session))
  if (mode === "call" && !force && known._tag === "Some" && !AT_REST.includes(known.value.state)) {
    return yield* new Terminal({ code: "session.busy", message: `Session ${session} is ${known.value.state}; it cannot be deleted yet.` })
  }
  const bundles = (yield* history(mode, session, ["bundle.ready"])).map(({ event }) => event)
  const newest = bundles.at(-1)
  const sha256 = newest?.files.find(({ name }) => name === newest.bundle)?.sha256
  const counts = yield* Effect.forEach(sessionFilters(mode, session), (filter) => bus.count(eventStream(mode), filter))
  const events = new Set(counts.flatMap((found) => [...found.keys()])).size
  const bytes = known._tag === "Some" ? known.value.bytes : 0
  const tombstone: EventOf<"tombstone.written"> = {
    _tag: "tombstone.written",
    v: 1,
    mode,
    session,
    by,
    at: new Date(yield* Clock.currentTimeMillis).toISOString(),
    reason,
    events,
    bytes,
    ...(sha256 === undefined ? {} : { bundleSha256: sha256 }),
    ...(newest === undefined ? {} : { head: newest.seal.head })
  }
  yield* bus.publish(yield* encode(tombstone, { actor: "library", cause: "", messageId: `tombstone:${session}` }))
  const left = yield* removeFolders(bundles)
  yield* removeAnswer(settings.outputFolder, session)
  yield* eraseStreams(mode, session)
  yield* library.forget(session)
  yield* Effect.logInfo("session deleted").pipe(Effect.annotateLogs({ session, by, reason, events, bytes }))
  return { session, events, bytes, left }
})

/** Finishes deletions that a crash cut short: a session with a tombstone has no events. */
export const finishErasing = Effect.gen(function* () {
  const bus = yield* Bus
  const library = yield* Library
  yield* bus.read("TOMBSTONES", { filters: [">"] }).pipe(
    Stream.mapEffect((record) => Effect.option(logged(record))),
    Stream.runForEach((entry) =>
      Effect.gen(function* () {
        if (entry._tag === "None" || entry.value.event._tag !== "tombstone.written") return
        const { mode, session } = entry.value.event
        const bundles = yield* history(mode, session, ["bundle.ready"])
        yield* removeFolders(bundles.map(({ event }) => event))
        if ((yield* eraseStreams(mode, session)) > 0) yield* library.forget(session)
      })
    )
  )
})
