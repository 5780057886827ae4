/**
 * One connection's conversation: the session it belongs to, the tail of that session's events, and what the client may
 * do with it. The tail is started once per session, because making a consumer costs milliseconds and a turn has none to
 * spare. A session that this connection opened is closed with it; one that it joined is left as it is.
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Schedule from "effect/Schedule"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import { Recorder, type Session } from "../actors/capture/index.ts"
import type { Event, EventOf, SpeechHeard, TurnCancelled } from "../contract/Events.ts"
import type { SessionId } from "../contract/Session.ts"
import { eventStream, sessionFilters } from "../contract/Subjects.ts"
import { Blobs } from "../kernel/Blobs.ts"
import { Bus, type Recorded } from "../kernel/Bus.ts"
import { decode, encode } from "../kernel/Envelope.ts"
import { type Failure, Terminal } from "../kernel/Failure.ts"
import { history } from "../kernel/History.ts"
import { Settings } from "../kernel/Settings.ts"
import { traceparent } from "../kernel/Trace.ts"
import type { Outbox } from "./Outbox.ts"
import { type ClientMessageOf, problem } from "./Protocol.ts"
import { type Action, makeTurns, type Turns } from "./Turns.ts"
import { type Format, makeUtterance, type Utterance } from "./Utterance.ts"
import { VERSION } from "./Version.ts"

const MODE = "assistant"
const STREAM = eventStream(MODE)

export interface ConversationOptions {
  /** Milliseconds without an event after which a turn is given up. */
  readonly patienceMs: number
}

interface Bound {
  readonly session: Session
  readonly turns: Turns
  /** Closing it stops the tail and, if we opened the session, closes that. */
  readonly scope: Scope.Closeable
}

const invalid = (message: string) => new Terminal({ code: "input.invalid", message })

/** Number of the turn in `<noun>.<verb>.<mode>.<session>.<unit>`. */
const unitOf = ({ subject }: Recorded): number => Number(subject.split(".")[4] ?? "")

/** Lives as long as the scope; needs one. */
export const makeConversation = Effect.fnUntraced(function* (outbox: Outbox, { patienceMs }: ConversationOptions) {
  const bus = yield* Bus
  const blobs = yield* Blobs
  const recorder = yield* Recorder
  const settings = yield* Settings
  const outer = yield* Effect.scope
  let bound: Bound | undefined
  let utterance: Utterance | undefined

  const publish = Effect.fnUntraced(function* (event: Event, id: string) {
    yield* bus.publish(yield* encode(event, { actor: "gateway", cause: "", messageId: `gateway:${id}`, headers: yield* traceparent }))
  })

  /** Audio of a sentence goes out the moment it is here, unless the turn ended while it was fetched. */
  const speak = Effect.fnUntraced(function* (turns: Turns, speech: EventOf<"speech.synthesized">) {
    const { unit, generation, sentence, sampleRate, samples } = speech
    const pcm = yield* blobs.get(speech, speech.audio)
    if (turns.isStale(unit, generation)) return
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
          if ("session" in event) yield* perform(turns, turns.observe(event, yield* Clock.currentTimeMillis))
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

  const watch = (turns: Turns) =>
    Clock.currentTimeMillis.pipe(
      Effect.flatMap((now) => perform(turns, turns.stalled(now, patienceMs))),
      Effect.repeat(Schedule.spaced(Math.min(1_000, patienceMs / 4)))
    )

  const release = Effect.suspend(() => {
    const old = bound
    bound = undefined
    utterance = undefined
    return old === undefined ? Effect.void : Scope.close(old.scope, Exit.void)
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
    const session = yield* recorder.open({
      mode: MODE,
      title: "Conversation",
      source: { kind: "browser", name: "gateway" },
      config: settings.session
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
    for (const unit of past.map(unitOf).filter((unit) => unit > 0)) turns.begin(unit, now)
    for (const { event } of known) turns.observe(event, now)
    const newest = Math.max(0, ...past.map(({ sequence }) => sequence))
    return yield* bind({ mode: MODE, session: id, config: opened.config }, turns, newest + 1, Effect.void)
  })

  /** The session asked for, the one we have, or a new one. */
  const ensure = (id: SessionId | undefined): Effect.Effect<Bound, Failure> =>
    Effect.suspend(() => {
      if (bound !== undefined && (id === undefined || id === bound.session.session)) return Effect.succeed(bound)
      return id === undefined ? open : join(id)
    })

  const turnOf = Effect.fnUntraced(function* (turn: number): Effect.fn.Return<Bound, Terminal> {
    if (bound === undefined || !bound.turns.knows(turn)) return yield* invalid(`This conversation has no turn ${turn}.`)
    return bound
  })

  return {
    hello: Effect.fnUntraced(function* ({ session }: ClientMessageOf<"hello">) {
      if (session !== undefined && session !== bound?.session.session) return yield* Effect.asVoid(join(session))
      yield* outbox.send({ type: "ready", ...(bound === undefined ? {} : { session: bound.session.session }), version: VERSION })
    }),

    start: Effect.fnUntraced(function* ({ sampleRate, channels = 1, session: id }: ClientMessageOf<"utterance.start">) {
      if (utterance !== undefined) return yield* invalid("An utterance is open already; send utterance.end first.")
      const format: Format = { sampleRate, channels }
      const { session } = yield* ensure(id)
      utterance = makeUtterance(yield* recorder.take(session, format), format)
      yield* outbox.send({ type: "turn", state: "LISTENING" })
    }),

    frame: (pcm: Uint8Array<ArrayBufferLike>): Effect.Effect<void, Failure> =>
      utterance === undefined ? Effect.fail(invalid("Audio came without an utterance; send utterance.start first.")) : utterance.frame(pcm),

    end: Effect.gen(function* () {
      const ended = utterance
      const here = bound
      utterance = undefined
      if (ended === undefined || here === undefined) return yield* invalid("No utterance is open; send utterance.start first.")
      const { unit } = yield* ended.finish.pipe(Effect.tapError(() => outbox.send({ type: "turn", state: "IDLE" })))
      here.turns.begin(unit, yield* Clock.currentTimeMillis)
    }),

    discard: Effect.suspend(() => {
      utterance = undefined
      return outbox.send({ type: "turn", state: "IDLE" })
    }),

    ask: Effect.fnUntraced(function* ({ text, session: id }: ClientMessageOf<"ask">) {
      const { session, turns } = yield* ensure(id)
      const { unit } = yield* recorder.typed(session, text)
      turns.begin(unit, yield* Clock.currentTimeMillis)
    }),

    played: Effect.fnUntraced(function* ({ turn, generation, samples, sentences, interrupted }: ClientMessageOf<"played">) {
      const { session, turns } = yield* turnOf(turn)
      const event: typeof SpeechHeard.Type = {
        _tag: "speech.heard",
        v: 1,
        mode: MODE,
        session: session.session,
        unit: turn,
        generation,
        samples,
        sentences
      }
      const tag = interrupted ? "speech.interrupted" : "speech.heard"
      yield* publish(interrupted ? { ...event, _tag: "speech.interrupted" } : event, `${tag}:${session.session}:${turn}:${generation}`)
      yield* perform(turns, turns.played(turn))
    }),

    cancel: Effect.fnUntraced(function* ({ turn }: ClientMessageOf<"cancel">) {
      const { session, turns } = yield* turnOf(turn)
      // First here, at once; then for everybody else.
      const { generation, actions } = turns.cancel(turn)
      const event: typeof TurnCancelled.Type = {
        _tag: "turn.cancelled",
        v: 1,
        mode: MODE,
        session: session.session,
        unit: turn,
        generation,
        reason: "user"
      }
      yield* perform(turns, actions)
      yield* publish(event, `turn.cancelled:${session.session}:${turn}:${generation}`)
    })
  }
})

export type Conversation = Effect.Success<ReturnType<typeof makeConversation>>
