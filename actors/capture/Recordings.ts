/**
 * The live recordings of this host: starts them, finds them, takes up after a crash what was being recorded before.
 * There is one in the process that serves the commands; the gateway hands it the audio of browsers.
 */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Semaphore from "effect/Semaphore"
import * as Stream from "effect/Stream"
import type { Event, EventOf, Source as SourceInfo } from "../../contract/Events.ts"
import type { Device } from "../../contract/RecordingCommands.ts"
import { type LiveSource, RECORDING_TAGS } from "../../contract/RecordingEvents.ts"
import type { SessionConfig, SessionId } from "../../contract/Session.ts"
import { Bus, type Bytes } from "../../kernel/Bus.ts"
import { logged } from "../../kernel/Envelope.ts"
import { type Failure, Terminal } from "../../kernel/Failure.ts"
import { callState } from "../../kernel/folds/CallState.ts"
import { Frames } from "../../kernel/Frames.ts"
import { history } from "../../kernel/History.ts"
import { sessionFor } from "../../kernel/Idempotency.ts"
import { load, Settings } from "../../kernel/Settings.ts"
import { type Feed, makeFeeds, type Progress, progressOf } from "./Feed.ts"
import { makeLiveLog } from "./LiveLog.ts"
import { makeRecording, type Recording, type RecordingOptions } from "./Recording.ts"
import { opened } from "./Recorder.ts"
import { salvage } from "./Salvage.ts"
import { deviceSource, listDevices } from "./sources/devices.ts"
import { fileSource } from "./sources/file.ts"
import { type PushedSource, pushedSource } from "./sources/pushed.ts"
import type { Source } from "./sources/Source.ts"
import { checkDisk } from "./Span.ts"

export interface StartOptions {
  readonly source: LiveSource
  readonly title?: string
  readonly ticket?: string
  readonly idempotencyKey?: string
  readonly config?: SessionConfig
}

export class Recordings extends Context.Service<
  Recordings,
  {
    /** Returns the session when the source delivers; with a key that was used before, its session. */
    readonly start: (options: StartOptions) => Effect.Effect<SessionId, Failure>
    /** Recordings that are not over. */
    readonly running: () => ReadonlyArray<Recording>
    /** The one of this session; without a session the newest. */
    readonly find: (session?: SessionId) => Effect.Effect<Recording, Terminal>
    /** Audio of a client; false when it is not taken (paused). */
    readonly push: (session: SessionId, pcm: Bytes) => Effect.Effect<boolean, Terminal>
    readonly progress: (session: SessionId) => Effect.Effect<Progress, Terminal>
    /** Makes the caller the one who sends its audio; see `Feed.ts`. */
    readonly join: (session: SessionId, missed: boolean) => Effect.Effect<Feed, Terminal>
    readonly devices: Effect.Effect<ReadonlyArray<Device>, Failure>
    /** Takes up what was being recorded when the program was cut off. */
    readonly recover: Effect.Effect<void>
  }
>()("voxbus/capture/Recordings") {
  static readonly layer: Layer.Layer<Recordings, never, Bus | Frames | Settings> = Layer.effect(
    Recordings,
    Effect.suspend(() => make)
  )
}

const RECOVERED = ["session.opened", ...RECORDING_TAGS, "session.closed", "audio.captured"] as const

const describeSource = (source: LiveSource, name: string): typeof SourceInfo.Type => ({ kind: source.kind, name })

const make = Effect.gen(function* () {
  const bus = yield* Bus
  const frames = yield* Frames
  const settings = yield* Settings
  const scope = yield* Effect.scope
  const one = yield* Semaphore.make(1)
  const active = new Map<SessionId, Recording>()
  const pushed = new Map<SessionId, PushedSource>()
  const feeds = makeFeeds()
  const services = <A, E>(work: Effect.Effect<A, E, Bus | Frames>) =>
    work.pipe(Effect.provideService(Bus, bus), Effect.provideService(Frames, frames))

  /** As the file has it now: a permission can be taken back while it records. */
  const lists = Effect.map(load(process.env), ({ recording }) => recording)

  const sourceOf = (session: SessionId, live: LiveSource): Source => {
    if (live.kind === "device") return deviceSource(live.device, settings.recording.sampleRate, lists)
    if (live.kind === "file") return fileSource(live.path)
    const source = pushedSource(live)
    pushed.set(session, source)
    return source
  }

  const limits = {
    graceMs: settings.recording.graceSeconds * 1000,
    undoMs: settings.recording.undoSeconds * 1000,
    disk: { folder: settings.home, minFree: settings.recording.minFreeMb * 1e6 }
  }

  const launch = Effect.fnUntraced(function* (options: Omit<RecordingOptions, keyof typeof limits>) {
    const recording = yield* services(makeRecording({ ...options, ...limits }))
    active.set(options.session, recording)
    yield* recording.run.pipe(
      Effect.ensuring(
        Effect.sync(() => {
          active.delete(options.session)
          pushed.delete(options.session)
          feeds.forget(options.session)
        })
      ),
      Effect.forkIn(scope)
    )
    return recording
  })

  const start = Effect.fnUntraced(function* (options: StartOptions) {
    const { session, fresh } = yield* services(sessionFor("call", options.idempotencyKey, "capture"))
    if (!fresh && (yield* services(history("call", session, ["session.opened"]))).length > 0) return session
    yield* checkDisk(limits.disk)
    const source = sourceOf(session, options.source)
    const config = options.config ?? settings.session
    const log = yield* services(makeLiveLog(session, config))
    const event: EventOf<"session.opened"> = {
      ...opened(
        session,
        {
          mode: "call",
          title: options.title ?? source.name,
          ...(options.ticket === undefined ? {} : { ticket: options.ticket }),
          source: describeSource(options.source, source.name),
          config
        },
        yield* Clock.currentTimeMillis
      ),
      live: options.source
    }
    // A device that is not allowed leaves no session behind.
    if (options.source.kind === "device") yield* Effect.scoped(source.open(0))
    yield* log.publish(event, "opened")
    const recording = yield* launch({ session, source, log })
    // A client sends its first audio when it knows the session.
    if (options.source.kind !== "stream") yield* recording.started
    return session
  })

  /** Takes up a recording that nobody closed. */
  const resume = Effect.fnUntraced(function* (session: SessionId) {
    const past = yield* services(history("call", session, RECOVERED))
    const first = past.find((entry) => entry.event._tag === "session.opened")?.event
    if (first?._tag !== "session.opened" || first.live === undefined) return
    const left = yield* services(salvage({ mode: "call", session }, past))
    const log = yield* services(makeLiveLog(session, first.config, past))
    const closed = past.find((entry) => entry.event._tag === "session.closed")?.event
    if (closed?._tag === "session.closed") return left.ended ? undefined : yield* log.close(closed.reason, closed.captured)
    yield* Effect.forEach(left.orphans, log.captured, { discard: true })
    const state = callState(past)
    yield* log.counted("session.recovering", { at: left.position })
    yield* Effect.logInfo("a recording that was cut off goes on").pipe(
      Effect.annotateLogs({ session, state: state.phase, samples: left.position, salvaged: left.orphans.length })
    )
    const started = past.find((entry) => entry.event._tag === "session.started")?.event
    const stage =
      state.phase === "PAUSED" && lastPause(past) === "user" ? "paused" : state.undoUntilMs === undefined ? "recording" : "discarded"
    if (stage === "paused") yield* log.counted("session.paused", { at: left.position, reason: "user" })
    yield* launch({
      session,
      source: sourceOf(session, first.live),
      log,
      resumed: {
        position: left.position,
        recorded: left.recorded,
        seconds: left.seconds,
        spans: left.spans,
        stage,
        ...(started?._tag === "session.started" ? { epochMs: started.epochMs } : {}),
        ...(state.undoUntilMs === undefined ? {} : { undoUntilMs: state.undoUntilMs })
      }
    })
  })

  const recover = Effect.gen(function* () {
    const entries = yield* bus.read("CALLS", { filters: ["session.opened.call.>"] }).pipe(
      Stream.mapEffect((entry) => Effect.option(logged(entry))),
      Stream.runCollect
    )
    const live = entries.flatMap((entry) =>
      entry._tag === "Some" && entry.value.event._tag === "session.opened" && entry.value.event.live !== undefined
        ? [entry.value.event.session]
        : []
    )
    for (const session of live) {
      if (!active.has(session))
        yield* resume(session).pipe(
          Effect.catch((failure) =>
            Effect.logError("a recording could not be taken up").pipe(Effect.annotateLogs({ session, reason: failure.message }))
          )
        )
    }
  })
  const find = (session?: SessionId): Effect.Effect<Recording, Terminal> => {
    const found = session === undefined ? [...active.values()].at(-1) : active.get(session)
    return found === undefined
      ? Effect.fail(
          new Terminal({
            code: "session.unknown",
            message: session === undefined ? "Nothing is being recorded." : `${session} is not being recorded.`
          })
        )
      : Effect.succeed(found)
  }

  return Recordings.of({
    start: (options) => one.withPermit(start(options)),
    running: () => [...active.values()],
    find,
    push: (session, pcm) => Effect.flatMap(find(session), () => pushed.get(session)?.push(pcm) ?? Effect.succeed(false)),
    progress: (session) => Effect.map(find(session), (recording) => progressOf(recording, pushed.get(session))),
    join: (session, missed) => Effect.flatMap(find(session), (recording) => feeds.join(recording, pushed.get(session), missed)),
    devices: Effect.flatMap(lists, listDevices),
    recover: one
      .withPermit(recover)
      .pipe(
        Effect.catch((failure) =>
          Effect.logError("recordings could not be looked for").pipe(Effect.annotateLogs({ reason: failure.message }))
        )
      )
  })
})

/** Why the newest pause was. */
const lastPause = (past: ReadonlyArray<{ readonly event: Event }>): string | undefined => {
  const pauses = past.flatMap(({ event }) => (event._tag === "session.paused" ? [event] : []))
  return pauses.toSorted((a, b) => a.n - b.n).at(-1)?.reason
}
