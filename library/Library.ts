/**
 * What has been said, searchable: the index of this home, kept up with the log. Every answer first takes in what the log
 * has new, so a session is found as soon as its words are events; `follow` does it meanwhile.
 *
 * The index remembers its place in each stream and moves it together with the rows, in one transaction. Conversations
 * are indexed only where they are kept on disk anyway.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Schedule from "effect/Schedule"
import * as Scope from "effect/Scope"
import * as Semaphore from "effect/Semaphore"
import * as Stream from "effect/Stream"
import { join } from "node:path"
import type { DatabaseSync } from "node:sqlite"
import type { Event, Transcript } from "../contract/Events.ts"
import type { Hit, SessionSummary } from "../contract/SessionCommands.ts"
import type { SessionId } from "../contract/Session.ts"
import { type StreamName } from "../contract/Subjects.ts"
import { Blobs } from "../kernel/Blobs.ts"
import { Bus, type Recorded } from "../kernel/Bus.ts"
import { isOneOf, logged } from "../kernel/Envelope.ts"
import { type Failure, Terminal } from "../kernel/Failure.ts"
import { Settings } from "../kernel/Settings.ts"
import { currentTranscript, TRANSCRIPT_EVENTS } from "../kernel/Transcripts.ts"
import { onIndex, openIndex, removeIndex, settleIndex, transaction } from "./Database.ts"
import { forget, project } from "./Project.ts"
import { countRows, listSessions, type ListOptions, oneSession, searchSegments } from "./Read.ts"

export class Library extends Context.Service<
  Library,
  {
    readonly list: (options: ListOptions) => Effect.Effect<ReadonlyArray<SessionSummary>, Failure>
    /** Fails with `session.unknown`. */
    readonly get: (session: SessionId) => Effect.Effect<SessionSummary, Failure>
    readonly search: (query: string, limit: number) => Effect.Effect<ReadonlyArray<Hit>, Failure>
    /** Removes every trace of a session, also from the journal. */
    readonly forget: (session: SessionId) => Effect.Effect<void, Failure>
    readonly rebuild: Effect.Effect<{ readonly sessions: number; readonly segments: number }, Failure>
    /** Takes in events as they come, until interrupted. */
    readonly follow: Effect.Effect<void>
  }
>()("voxbus/Library") {
  static readonly layer: Layer.Layer<Library, never, Settings | Bus | Blobs> = Layer.effect(
    Library,
    Effect.suspend(() => make)
  )
}

/** Events taken in with one transaction. */
const BATCH = 200
/** Events of this long are taken in together. */
const PACE = "250 millis"

const placeOf = (db: DatabaseSync, stream: StreamName): number =>
  Number(db.prepare("SELECT value FROM meta WHERE key = ?").get(stream)?.["value"] ?? 0)

const moveTo = (db: DatabaseSync, stream: StreamName, sequence: number) =>
  db.prepare("INSERT INTO meta VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value").run(stream, sequence)

interface Entry {
  readonly sequence: number
  /** Absent: of a newer version, which is left out. */
  readonly event?: Event
  readonly transcript?: Transcript
}

const make = Effect.gen(function* () {
  const settings = yield* Settings
  const services = yield* Effect.context<Bus | Blobs>()
  const bus = yield* Bus
  const scope = yield* Effect.scope
  const path = join(settings.home, "index.db")
  const turn = yield* Semaphore.make(1)
  const streams: ReadonlyArray<StreamName> = [
    "CALLS",
    ...(settings.privacy.keepConversations ? (["ASSISTANT"] as const) : []),
    // Last: what it forgets must not come back from an older event.
    "TOMBSTONES"
  ]
  let opened: { readonly db: DatabaseSync; readonly scope: Scope.Closeable } | undefined

  const database = Effect.gen(function* () {
    if (opened !== undefined) return opened.db
    const own = yield* Scope.fork(scope)
    const db = yield* openIndex(path).pipe(Scope.provide(own))
    opened = { db, scope: own }
    return db
  })

  /** The event with the transcript it is about; one that was deleted meanwhile is nothing to fail over. */
  const entryOf = (record: Recorded): Effect.Effect<Entry> =>
    logged(record).pipe(
      Effect.flatMap((entry) =>
        isOneOf(TRANSCRIPT_EVENTS)(entry)
          ? currentTranscript(entry.event.mode, entry.event.session).pipe(
              Effect.map(({ transcript }): Entry => ({ sequence: record.sequence, event: entry.event, transcript }))
            )
          : Effect.succeed<Entry>({ sequence: record.sequence, event: entry.event })
      ),
      Effect.catch(() => Effect.succeed<Entry>({ sequence: record.sequence })),
      Effect.provide(services)
    )

  const takeIn = Effect.fnUntraced(function* (db: DatabaseSync, stream: StreamName, records: ReadonlyArray<Recorded>) {
    const entries = yield* Effect.forEach(records, entryOf)
    const last = entries.at(-1)
    if (last === undefined) return
    yield* onIndex(() =>
      transaction(db, () => {
        const place = placeOf(db, stream)
        for (const { sequence, event, transcript } of entries) if (event !== undefined && sequence > place) project(db, event, transcript)
        moveTo(db, stream, Math.max(place, last.sequence))
      })
    )
  })

  const catchUp = Effect.gen(function* () {
    const db = yield* database
    for (const stream of streams) {
      const from = (yield* onIndex(() => placeOf(db, stream))) + 1
      yield* bus.read(stream, { filters: [">"], from }).pipe(
        Stream.grouped(BATCH),
        Stream.runForEach((records) => takeIn(db, stream, records))
      )
    }
    return db
  })

  const current = <A>(use: (db: DatabaseSync) => A) =>
    Semaphore.withPermits(turn, 1)(Effect.flatMap(catchUp, (db) => onIndex(() => use(db))))

  const closeIndex = Effect.suspend(() => {
    const was = opened
    opened = undefined
    return was === undefined ? Effect.void : Scope.close(was.scope, Exit.void)
  })

  const wakes = Stream.mergeAll(
    streams.map((stream) => bus.tail(stream, { filters: [">"], from: "new" })),
    { concurrency: "unbounded" }
  )

  return Library.of({
    list: (options) => current((db) => listSessions(db, options)),
    get: (session) =>
      Effect.flatMap(
        current((db) => oneSession(db, session)),
        (found) =>
          found === undefined
            ? Effect.fail(new Terminal({ code: "session.unknown", message: `There is no session ${session}.` }))
            : Effect.succeed(found)
      ),
    search: (query, limit) => current((db) => searchSegments(db, query, limit)),
    forget: (session) =>
      current((db) => {
        transaction(db, () => forget(db, session))
        settleIndex(db)
      }),
    rebuild: Semaphore.withPermits(
      turn,
      1
    )(
      Effect.gen(function* () {
        yield* closeIndex
        yield* onIndex(() => removeIndex(path))
        return yield* Effect.flatMap(catchUp, (db) => onIndex(() => countRows(db)))
      })
    ),
    follow: current(() => undefined).pipe(
      Effect.andThen(
        Stream.runForEach(Stream.buffer(wakes, { capacity: 1, strategy: "sliding" }), () =>
          Effect.delay(
            current(() => undefined),
            PACE
          )
        )
      ),
      Effect.tapError((failure) => Effect.logWarning("index").pipe(Effect.annotateLogs({ reason: failure.message }))),
      Effect.retry(Schedule.spaced("2 seconds")),
      Effect.ignore
    )
  })
})
