/**
 * One live recording, from its first sample to its end, whatever comes in between: pauses, a device that goes away and
 * comes back, a discard that is taken back. It is one loop over stages; what the user wants arrives as wishes.
 */
import * as Clock from "effect/Clock"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Queue from "effect/Queue"
import * as Schedule from "effect/Schedule"
import { type EventOf, TIMELINE_RATE } from "../../contract/Events.ts"
import type { SessionId } from "../../contract/Session.ts"
import { stateSubject } from "../../contract/Subjects.ts"
import { Bus } from "../../kernel/Bus.ts"
import { type Failure, Terminal } from "../../kernel/Failure.ts"
import { Frames } from "../../kernel/Frames.ts"
import { history } from "../../kernel/History.ts"
import { type LiveLog } from "./LiveLog.ts"
import { salvage } from "./Salvage.ts"
import type { OpenSource, Source } from "./sources/Source.ts"
import { runSpan } from "./Span.ts"

export type Wish = "pause" | "resume" | "stop" | "cancel" | "discard" | "undo"

/** `waiting`: for a source that is lost. */
export type Stage = "recording" | "paused" | "waiting" | "discarded" | "ended"

/** What can be asked for at each stage. */
const OPEN_TO: Readonly<Record<Stage, ReadonlyArray<Wish>>> = {
  recording: ["pause", "stop", "cancel", "discard"],
  paused: ["resume", "stop", "cancel", "discard"],
  waiting: ["resume", "pause", "stop", "cancel", "discard"],
  discarded: ["undo", "cancel"],
  ended: []
}

export interface RecordingOptions {
  readonly session: SessionId
  readonly log: LiveLog
  readonly source: Source
  readonly graceMs: number
  readonly undoMs: number
  readonly disk: { readonly folder: string; readonly minFree: number }
  /** What an earlier life of it left. */
  readonly resumed?: {
    readonly position: number
    readonly recorded: number
    readonly seconds: number
    readonly spans: number
    readonly epochMs?: number
    readonly stage: Exclude<Stage, "ended">
    readonly undoUntilMs?: number
  }
}

export interface Recording {
  readonly session: SessionId
  readonly source: Source
  readonly view: () => {
    readonly stage: Stage
    /** End of what is saved on the timeline, and what of that is recorded, 16 kHz samples. */
    readonly position: number
    readonly recorded: number
    /** Recorded, not rounded to samples of the timeline: times the source's rate it is the samples of the source. */
    readonly seconds: number
    readonly problem?: string
  }
  /** Done when it has happened; fails with `recording.state` when it cannot. */
  readonly ask: (wish: Wish) => Effect.Effect<void, Failure>
  /** Fails when the source cannot be opened at the very start. */
  readonly started: Effect.Effect<void, Failure>
  /** Its whole life. */
  readonly run: Effect.Effect<void>
}

const RETRY = "2 seconds"

type Asked = { readonly wish: Wish; readonly done: Deferred.Deferred<void, Failure> }

export const makeRecording = Effect.fnUntraced(function* (options: RecordingOptions) {
  const { session, log, source, resumed } = options
  const bus = yield* Bus
  const frames = yield* Frames
  const wishes = yield* Queue.unbounded<Asked>()
  const firstAudio = yield* Deferred.make<void, Failure>()
  let stage: Stage = resumed?.stage ?? "recording"
  let position = resumed?.position ?? 0
  /** Of spans that are over, and of the one that runs. */
  let before = resumed?.recorded ?? 0
  let running = 0
  let secondsBefore = resumed?.seconds ?? 0
  let secondsRunning = 0
  let unit = resumed?.spans ?? 0
  let epochMs = resumed?.epochMs
  /** Epoch milliseconds at which it was paused: the gap is as long as the pause. */
  let restSince: number | undefined
  let announce = resumed !== undefined
  let problem: string | undefined
  let undoUntilMs = resumed?.undoUntilMs ?? 0

  const enter = (next: Stage) =>
    Effect.suspend(() => {
      stage = next
      return bus.shout(stateSubject(session), new TextEncoder().encode(JSON.stringify({ session, stage, position, problem })))
    })

  /** To the log, however long that is away. */
  const surely = <A>(work: Effect.Effect<A, Failure>) =>
    work.pipe(
      Effect.tapError((failure) =>
        Effect.sync(() => (problem = failure.message)).pipe(
          Effect.andThen(
            Effect.logWarning("the log does not take events of a recording").pipe(Effect.annotateLogs({ session, code: failure.code }))
          ),
          Effect.andThen(Effect.suspend(() => enter(stage)))
        )
      ),
      Effect.retry(Schedule.spaced(RETRY)),
      Effect.orDie
    )

  /** Where the next span begins, said on the log. */
  const begin = Effect.fnUntraced(function* ({ sampleRate, channels }: OpenSource) {
    const at = yield* Clock.currentTimeMillis
    problem = undefined
    if (epochMs === undefined) {
      epochMs = at
      yield* log.publish({ _tag: "session.started", v: 1, mode: "call", session, epochMs: at, sampleRate, channels }, "started")
      yield* enter("recording")
      yield* Deferred.succeed(firstAudio, undefined)
      return 0
    }
    const gapMs = restSince !== undefined ? at - restSince : source.continuous ? 0 : at - (epochMs + position / 16)
    restSince = undefined
    position += Math.max(0, Math.round((gapMs * TIMELINE_RATE) / 1000))
    if (announce) yield* log.counted("session.resumed", { at: position })
    announce = false
    yield* enter("recording")
    yield* Deferred.succeed(firstAudio, undefined)
    return position
  })

  const close = Effect.fnUntraced(function* (reason: EventOf<"session.closed">["reason"]) {
    const past = yield* Effect.provideService(history("call", session, ["audio.captured"]), Bus, bus)
    const { orphans, spans } = yield* Effect.provideService(salvage({ mode: "call", session }, past), Frames, frames)
    yield* Effect.forEach(orphans, log.captured, { discard: true })
    // Without a sample there is nothing to finish.
    yield* log.close(spans === 0 ? "cancelled" : reason, spans)
    yield* enter("ended")
  })

  const erase = Effect.andThen(close("cancelled"), Effect.andThen(Effect.sleep("1 second"), log.erase))

  const rest = (reason: EventOf<"session.paused">["reason"], next: Stage) =>
    Effect.gen(function* () {
      announce = true
      if (reason === "user") restSince ??= yield* Clock.currentTimeMillis
      if (epochMs !== undefined) yield* surely(log.counted("session.paused", { at: position, reason }))
      yield* enter(next)
    })

  /** What a wish does when no span runs; the stage it leads to. */
  const obey = Effect.fnUntraced(function* ({ wish, done }: Asked) {
    if (!OPEN_TO[stage].includes(wish)) {
      return yield* Deferred.fail(done, new Terminal({ code: "recording.state", message: `A recording that is ${stage} cannot ${wish}.` }))
    }
    switch (wish) {
      case "pause":
        yield* rest("user", "paused")
        break
      case "resume":
        stage = "recording"
        break
      case "stop":
        yield* surely(close("stopped"))
        break
      case "cancel":
        yield* surely(erase)
        break
      case "discard":
        undoUntilMs = (yield* Clock.currentTimeMillis) + options.undoMs
        yield* surely(log.counted("session.discarded", { untilMs: undoUntilMs }))
        yield* enter("discarded")
        break
      case "undo":
        yield* surely(log.counted("session.restored", {}))
        yield* surely(close("stopped"))
    }
    yield* Deferred.succeed(done, undefined)
  })

  /** Runs a span until it ends or a wish ends it. Returns the wish. */
  const span = Effect.gen(function* () {
    const stop = yield* Deferred.make<void>()
    unit += 1
    running = 0
    secondsRunning = 0
    const fiber = yield* runSpan({
      session,
      log,
      source,
      unit,
      recorded: secondsBefore,
      begin,
      saved: (end, length, seconds) => {
        position = end
        running = length
        secondsRunning = seconds
      },
      stop,
      disk: options.disk
    }).pipe(Effect.forkChild)
    const ended = yield* Effect.raceFirst(Effect.as(Fiber.await(fiber), undefined), Queue.take(wishes))
    yield* Deferred.succeed(stop, undefined)
    const exit = yield* Fiber.await(fiber)
    before += running
    secondsBefore += secondsRunning
    running = 0
    secondsRunning = 0
    return { asked: ended, exit }
  })

  /** A source that is lost is tried again until the grace is over. */
  const lost = Effect.fnUntraced(function* (failure: Failure, since: number) {
    problem = failure.message
    const now = yield* Clock.currentTimeMillis
    if (failure.code === "disk.full" || now - since >= options.graceMs) {
      const kind = failure.code === "disk.full" ? "disk" : "source"
      yield* surely(log.counted("session.warned", { kind, at: position, message: failure.message }))
      return yield* surely(close("interrupted"))
    }
    if (stage !== "waiting") {
      yield* Effect.logWarning("a recording lost its source").pipe(
        Effect.annotateLogs({ session, code: failure.code, reason: failure.message })
      )
      yield* rest(failure.code, "waiting")
    }
    const asked = yield* Queue.take(wishes).pipe(Effect.timeoutOption(RETRY))
    if (asked._tag === "Some") yield* obey(asked.value)
  })

  const life = Effect.gen(function* () {
    let lostSince: number | undefined
    for (;;) {
      if (stage === "ended") return
      if (stage === "recording" || stage === "waiting") {
        const { asked, exit } = yield* span
        if (asked !== undefined) yield* obey(asked)
        else if (exit._tag === "Success") yield* surely(close("complete"))
        else {
          const failure = exit.cause.reasons.flatMap((reason) => (reason._tag === "Fail" ? [reason.error] : []))[0]
          if (failure === undefined) return yield* Effect.failCause(exit.cause)
          if (epochMs === undefined && !(yield* Deferred.isDone(firstAudio))) {
            yield* Deferred.fail(firstAudio, failure)
            yield* surely(close("cancelled"))
          } else {
            if (stage === "recording") lostSince = yield* Clock.currentTimeMillis
            yield* lost(failure, lostSince ?? 0)
          }
        }
      } else if (stage === "paused") yield* obey(yield* Queue.take(wishes))
      else {
        const left = Math.max(0, undoUntilMs - (yield* Clock.currentTimeMillis))
        const asked = yield* Queue.take(wishes).pipe(Effect.timeoutOption(left))
        if (asked._tag === "Some") yield* obey(asked.value)
        else yield* surely(erase)
      }
    }
  })

  const recording: Recording = {
    session,
    source,
    view: () => ({
      stage,
      position,
      recorded: before + running,
      seconds: secondsBefore + secondsRunning,
      ...(problem === undefined ? {} : { problem })
    }),
    ask: (wish) =>
      Effect.gen(function* () {
        if (!OPEN_TO[stage].includes(wish))
          return yield* new Terminal({ code: "recording.state", message: `A recording that is ${stage} cannot ${wish}.` })
        const done = yield* Deferred.make<void, Failure>()
        yield* Queue.offer(wishes, { wish, done })
        yield* Deferred.await(done)
      }),
    started: Deferred.await(firstAudio),
    run: life.pipe(
      Effect.catchCause((cause) => Effect.logError("a recording stopped because of a fault", cause)),
      Effect.annotateLogs({ actor: "capture", session }),
      Effect.provideService(Bus, bus),
      Effect.provideService(Frames, frames)
    )
  }
  return recording
})
