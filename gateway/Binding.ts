/**
 * The session that a connection belongs to, and the tail of its events. The tail is started once per session, because
 * making a consumer costs milliseconds and a turn has none to spare. A session that this connection opened is closed with
 * it; one that it joined is left as it is.
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Schedule from "effect/Schedule"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import { Recorder, type Session } from "../actors/capture/index.ts"
import type { EventOf } from "../contract/Events.ts"
import type { SessionId } from "../contract/Session.ts"
import { eventStream, sessionFilters } from "../contract/Subjects.ts"
import { Blobs } from "../kernel/Blobs.ts"
import { Bus, type Recorded } from "../kernel/Bus.ts"
import { decode } from "../kernel/Envelope.ts"
import { type Failure, Terminal } from "../kernel/Failure.ts"
import { history } from "../kernel/History.ts"
import { Settings } from "../kernel/Settings.ts"
import type { Outbox } from "./Outbox.ts"
import { problem } from "./Protocol.ts"
import { type Action, makeTurns, type Turns } from "./Turns.ts"
import { VERSION } from "./Version.ts"

export const MODE = "assistant"
const STREAM = eventStream(MODE)

export interface Bound {
  readonly session: Session
  readonly turns: Turns
  /** Closing it stops the tail and, if we opened the session, closes that. */
  readonly scope: Scope.Closeable
}

export interface BindingOptions {
  readonly outbox: Outbox
  /** Milliseconds without an event after which a turn is given up; the settings' if it is not given. */
  readonly patienceMs?: number
  /** Fails when the client may not open another conversation now. */
  readonly mayOpen?: Effect.Effect<void, Failure>
  /** Audio of an answer goes out: milliseconds of it. */
  readonly onSpeech: (ms: number) => Effect.Effect<void>
  /** What has been understood of a question that is still being asked. */
  readonly onPartial: (partial: EventOf<"text.partial">) => Effect.Effect<void>
  /** Before another session is bound, and at the end. */
  readonly onRelease: Effect.Effect<void>
}

/** Number of the turn in `<noun>.<verb>.<mode>.<session>.<unit>`, of events that make one. */
const unitOf = ({ subject }: Recorded): number =>
  /^(audio\.previewed|text\.partial)\./.test(subject) ? 0 : Number(subject.split(".")[4] ?? "")

/** Lives as long as the scope; needs one. */
export const makeBinding = Effect.fnUntraced(function* ({ outbox, onSpeech, onPartial, onRelease, ...options }: BindingOptions) {
  const bus = yield* Bus
  const blobs = yield* Blobs
  const recorder = yield* Recorder
  const settings = yield* Settings
  const outer = yield* Effect.scope
  let bound: Bound | undefined

  /** Audio of a sentence goes out the moment it is here, unless the turn ended while it was fetched. */
  const speak = Effect.fnUntraced(function* (turns: Turns, speech: EventOf<"speech.synthesized">) {
    const { unit, generation, sentence, sampleRate, samples } = speech
    const pcm = yield* blobs.get(speech, speech.audio)
    if (turns.isStale(unit, generation)) return
    yield* onSpeech((1000 * samples) / sampleRate)
    yield* outbox.speak({ type: "speech", turn: unit, generation, sentence, sampleRate, samples, bytes: pcm.length }, pcm)
  })

  const perform = (turns: Turns, actions: ReadonlyArray<Action>): Effect.Effect<void> =>
    Effect.forEach(
      actions,
      (action) =>
        action._tag === "send"
          ? outbox.send(action.message)
          : speak(turns, action.speech).pipe(
              Effect.catch((failure) =>
                Effect.andThen(
                  outbox.send(problem(failure.code, failure.message, action.speech.unit)),
                  Effect.suspend(() => perform(turns, turns.lost(action.speech.unit)))
                )
              )
            ),
      { discard: true }
    )

  /** Events from `first` on, for as long as the scope is open. After a fault of the bus it goes on where it was. */
  const follow = (session: Session, turns: Turns, first: number): Effect.Effect<void> => {
    const filters = sessionFilters(MODE, session.session)
    let next = first
    return Stream.suspend(() => bus.tail(STREAM, { filters, from: next })).pipe(
      Stream.runForEach((recorded) =>
        Effect.gen(function* () {
          next = recorded.sequence + 1
          const event = yield* decode(recorded)
          if (!("session" in event)) return
          yield* perform(turns, turns.observe(event, yield* Clock.currentTimeMillis))
          if (event._tag === "text.partial") yield* onPartial(event)
          // An event of a newer version is not for us.
        }).pipe(Effect.catch((failure) => Effect.logDebug("event left out").pipe(Effect.annotateLogs({ reason: failure.message }))))
      ),
      Effect.catch((failure) =>
        Effect.logWarning("tail of a session broke; it is taken up again").pipe(Effect.annotateLogs({ reason: failure.message }))
      ),
      Effect.repeat(Schedule.spaced("200 millis")),
      Effect.asVoid
    )
  }

  /** The watchdog: no turn ends in silence. */
  const watch = (turns: Turns) => {
    const patienceMs = options.patienceMs ?? settings.conversation.patienceSeconds * 1000
    return Clock.currentTimeMillis.pipe(
      Effect.flatMap((now) => perform(turns, turns.stalled(now, patienceMs))),
      Effect.repeat(Schedule.spaced(Math.min(1_000, patienceMs / 4)))
    )
  }

  const release = Effect.suspend(() => {
    const old = bound
    bound = undefined
    return Effect.andThen(onRelease, old === undefined ? Effect.void : Scope.close(old.scope, Exit.void))
  })

  const bind = Effect.fnUntraced(function* (session: Session, turns: Turns, first: number, ended: Effect.Effect<void>) {
    yield* release
    const scope = yield* Scope.fork(outer)
    yield* Scope.addFinalizer(scope, ended)
    const next: Bound = { session, turns, scope }
    bound = next
    yield* follow(session, turns, first).pipe(Effect.forkIn(scope))
    yield* watch(turns).pipe(Effect.forkIn(scope))
    yield* outbox.send({ type: "ready", session: session.session, version: VERSION })
    return next
  })

  const open = Effect.gen(function* () {
    if (options.mayOpen !== undefined) yield* options.mayOpen
    const session = yield* recorder.open({
      mode: MODE,
      title: "Conversation",
      source: { kind: "browser", name: "gateway" },
      config: (yield* settings.reload).session
    })
    // Everything of a new session is new.
    const ended = recorder.close(session, "complete").pipe(Effect.timeoutOption("2 seconds"), Effect.ignore)
    return yield* bind(session, makeTurns(), 1, ended)
  })

  const join = Effect.fnUntraced(function* (id: SessionId): Effect.fn.Return<Bound, Failure> {
    const known = yield* Effect.provideService(history(MODE, id, ["session.opened", "turn.cancelled"]), Bus, bus)
    const opened = known.map(({ event }) => event).find((event) => event._tag === "session.opened")
    if (opened === undefined) {
      return yield* new Terminal({
        code: "session.unknown",
        message: `There is no conversation ${id}; it may have been forgotten. Begin without a session.`
      })
    }
    const past = yield* bus.last(STREAM, sessionFilters(MODE, id))
    const turns = makeTurns()
    const now = yield* Clock.currentTimeMillis
    for (const unit of past.map(unitOf).filter((unit) => unit > 0)) turns.begin(unit, now, true)
    for (const { event } of known) turns.observe(event, now)
    const newest = Math.max(0, ...past.map(({ sequence }) => sequence))
    return yield* bind({ mode: MODE, session: id, config: opened.config }, turns, newest + 1, Effect.void)
  })

  return {
    bound: () => bound,
    join,
    perform,
    /** The session asked for, the one we have, or a new one. */
    ensure: (id: SessionId | undefined): Effect.Effect<Bound, Failure> =>
      Effect.suspend(() => {
        if (bound !== undefined && (id === undefined || id === bound.session.session)) return Effect.succeed(bound)
        return id === undefined ? open : join(id)
      })
  }
})
