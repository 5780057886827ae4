/**
 * One connection's conversation: what the client may do with it. `Binding.ts` holds the session and follows its events,
 * `Turns.ts` knows how far each turn is, `HandsFree.ts` finds the questions in a microphone that is always open.
 */
import * as Clock from "effect/Clock"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Scope from "effect/Scope"
import { addressed, Recorder } from "../actors/capture/index.ts"
import { TAIL, Vad } from "../actors/normalizer/index.ts"
import type { Event, SpeechHeard, TurnCancelled } from "../contract/Events.ts"
import type { Blobs } from "../kernel/Blobs.ts"
import { Bus } from "../kernel/Bus.ts"
import { encode } from "../kernel/Envelope.ts"
import { type Failure, Terminal } from "../kernel/Failure.ts"
import { Settings } from "../kernel/Settings.ts"
import { traceparent } from "../kernel/Trace.ts"
import { type Bound, makeBinding, MODE } from "./Binding.ts"
import { type HandsFree, makeHandsFree } from "./HandsFree.ts"
import type { Outbox } from "./Outbox.ts"
import { type ClientMessageOf, problem } from "./Protocol.ts"
import { type Format, type Heard, listenTo } from "./Utterance.ts"
import { VERSION } from "./Version.ts"

export interface ConversationOptions {
  /** Milliseconds without an event after which a turn is given up; the settings' if it is not given. */
  readonly patienceMs?: number
  /** Fails when the client may not open another conversation now. */
  readonly mayOpen?: Effect.Effect<void, Failure>
}

/** Milliseconds after the end of the audio that a player may take to say so: it began late, it stuttered. */
const PLAYER_MS = 3_000
/** How long a question waits for the player to say what was heard of the answer it interrupted. */
const REPORT = "250 millis"

const invalid = (message: string) => new Terminal({ code: "input.invalid", message })

/** Lives as long as the scope; needs one. */
export const makeConversation = Effect.fnUntraced(function* (outbox: Outbox, options: ConversationOptions) {
  const bus = yield* Bus
  const recorder = yield* Recorder
  const settings = yield* Settings
  const services = yield* Effect.context<Bus | Blobs | Vad>()
  const outer = yield* Effect.scope
  // The first detector takes 100-200 ms to load; nobody waits for it later.
  yield* Effect.forkScoped(Effect.ignore(Effect.scoped((yield* Vad).detector)))
  let utterance: { readonly is: Heard; readonly scope: Scope.Closeable } | undefined
  let listening: { readonly is: HandsFree; readonly scope: Scope.Closeable } | undefined
  /** Epoch milliseconds until which the client plays what it was sent; 0 once it has said that it is done. */
  let audible = 0
  /** Turns that were interrupted here, until the player says what was heard of them. */
  const unreported = new Map<number, Deferred.Deferred<void>>()

  const publish = Effect.fnUntraced(function* (event: Event, id: string) {
    yield* bus.publish(yield* encode(event, { actor: "gateway", cause: "", messageId: `gateway:${id}`, headers: yield* traceparent }))
  })

  /** Frees what an utterance holds: its detector, its converter. */
  const drop = Effect.suspend(() => {
    const ended = utterance
    utterance = undefined
    return ended === undefined ? Effect.void : Scope.close(ended.scope, Exit.void)
  })

  const deafen = Effect.suspend(() => {
    const was = listening
    listening = undefined
    return was === undefined ? Effect.void : Effect.andThen(was.is.reset, Scope.close(was.scope, Exit.void))
  })

  const binding = yield* makeBinding({
    ...options,
    outbox,
    onSpeech: (ms) => Effect.map(Clock.currentTimeMillis, (now) => void (audible = Math.max(audible, now) + ms)),
    onPartial: ({ text, revision }) =>
      utterance?.is.has(revision) === true && listening !== undefined ? Effect.ignore(listening.is.understood(text)) : Effect.void,
    onRelease: Effect.andThen(drop, deafen)
  })
  const { ensure, perform } = binding

  const turnOf = Effect.fnUntraced(function* (turn: number): Effect.fn.Return<Bound, Terminal> {
    const bound = binding.bound()
    if (bound === undefined || !bound.turns.knows(turn)) return yield* invalid(`This conversation has no turn ${turn}.`)
    return bound
  })

  const begin = Effect.fnUntraced(function* ({ session }: Bound, format: Format) {
    const scope = yield* Scope.fork(outer)
    const is = yield* listenTo(session, yield* recorder.take(session, { ...format, tail: TAIL }), format).pipe(
      Effect.provide(services),
      Scope.provide(scope)
    )
    utterance = { is, scope }
    yield* outbox.send({ type: "turn", state: "LISTENING" })
    return is
  })

  const cancel = Effect.fnUntraced(function* (
    { session, turns }: Bound,
    turn: number,
    reason: (typeof TurnCancelled.Type)["reason"],
    tell = false
  ) {
    // First here, at once; then for everybody else.
    const { generation, actions } = turns.cancel(turn)
    audible = 0
    if (tell) yield* outbox.send({ type: "interrupted", turn, generation })
    yield* perform(turns, actions)
    yield* publish(
      { _tag: "turn.cancelled", v: 1, mode: MODE, session: session.session, unit: turn, generation, reason },
      `turn.cancelled:${session.session}:${turn}:${generation}`
    )
  })

  const cancelAll = Effect.fnUntraced(function* (bound: Bound, reason: (typeof TurnCancelled.Type)["reason"]) {
    for (const turn of bound.turns.active()) {
      if (bound.turns.isAudible(turn)) unreported.set(turn, Deferred.makeUnsafe<void>())
      yield* cancel(bound, turn, reason, true)
    }
  })

  /** Makes a turn of what was said, once it is on the log what was heard of the answers before it. */
  const finish = Effect.fnUntraced(function* (bound: Bound, ended: NonNullable<typeof utterance>) {
    const reports = [...unreported.values()].map((each) => Deferred.await(each))
    yield* Effect.all(reports, { concurrency: "unbounded", discard: true }).pipe(Effect.timeoutOption(REPORT))
    unreported.clear()
    const { unit } = yield* ended.is.finish.pipe(
      Effect.tapError(() => outbox.send({ type: "turn", state: "IDLE" })),
      Effect.ensuring(Scope.close(ended.scope, Exit.void))
    )
    bound.turns.begin(unit, yield* Clock.currentTimeMillis)
    return unit
  })

  return {
    hello: Effect.fnUntraced(function* ({ session }: ClientMessageOf<"hello">) {
      const bound = binding.bound()
      if (session !== undefined && session !== bound?.session.session) return yield* Effect.asVoid(binding.join(session))
      yield* outbox.send({ type: "ready", ...(bound === undefined ? {} : { session: bound.session.session }), version: VERSION })
    }),

    start: Effect.fnUntraced(function* ({ sampleRate, channels = 1, session: id }: ClientMessageOf<"utterance.start">) {
      if (listening !== undefined) return yield* invalid("The microphone is open already; send listen.end first.")
      if (utterance !== undefined) return yield* invalid("An utterance is open already; send utterance.end first.")
      const bound = yield* ensure(id)
      yield* begin({ ...bound, session: addressed(bound.session) }, { sampleRate, channels })
    }),

    listen: Effect.fnUntraced(function* ({ sampleRate, channels = 1, session: id, echoCancellation = false }: ClientMessageOf<"listen">) {
      if (utterance !== undefined || listening !== undefined)
        return yield* invalid("The microphone is open already; send listen.end or utterance.end first.")
      const bound = yield* ensure(id)
      const { silenceMs, minSpeechMs, maxSeconds, interruptMs } = (yield* settings.reload).conversation
      const format = { sampleRate, channels }
      const scope = yield* Scope.fork(bound.scope)
      const is = yield* makeHandsFree(
        format,
        { silenceMs, minSpeechMs, interruptMs, longestMs: 1000 * maxSeconds },
        {
          say: outbox.send,
          muted: echoCancellation
            ? Effect.succeed(false)
            : Effect.map(Clock.currentTimeMillis, (now) => audible > 0 && now < audible + PLAYER_MS),
          busy: () => bound.turns.active().length > 0,
          begin: begin(bound, format),
          // Apart: while it waits for the player, the player's message must get through.
          finish: Effect.suspend(() => {
            const ended = utterance
            utterance = undefined
            if (ended === undefined) return Effect.void
            return finish(bound, ended).pipe(
              Effect.flatMap((turn) => outbox.send({ type: "voice.ended", turn })),
              Effect.catch((failure) =>
                Effect.andThen(outbox.send({ type: "voice.dropped" }), outbox.send(problem(failure.code, failure.message)))
              ),
              // Also when the microphone is closed meanwhile.
              Effect.forkIn(bound.scope),
              Effect.asVoid
            )
          }),
          drop: Effect.andThen(drop, outbox.send({ type: "turn", state: "IDLE" })),
          interrupt: cancelAll(bound, "barge_in")
        }
      ).pipe(Effect.provide(services), Scope.provide(scope))
      listening = { is, scope }
    }),

    deafen,

    frame: (pcm: Uint8Array<ArrayBufferLike>): Effect.Effect<void, Failure> => {
      if (listening !== undefined) return listening.is.frame(pcm)
      return utterance === undefined
        ? Effect.fail(invalid("Audio came without an utterance; send utterance.start first."))
        : utterance.is.frame(pcm)
    },

    end: Effect.gen(function* () {
      const ended = utterance
      const bound = binding.bound()
      if (ended === undefined || bound === undefined || listening !== undefined)
        return yield* invalid("No utterance is open; send utterance.start first.")
      utterance = undefined
      yield* finish(bound, ended)
    }),

    discard: Effect.suspend(() => Effect.andThen(listening?.is.reset ?? drop, outbox.send({ type: "turn", state: "IDLE" }))),

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
      audible = 0
      yield* publish(interrupted ? { ...event, _tag: "speech.interrupted" } : event, `${tag}:${session.session}:${turn}:${generation}`)
      const report = unreported.get(turn)
      if (report !== undefined) yield* Deferred.succeed(report, undefined)
      yield* perform(turns, turns.played(turn))
    }),

    cancel: Effect.fnUntraced(function* ({ turn }: ClientMessageOf<"cancel">) {
      yield* cancel(yield* turnOf(turn), turn, "user")
    }),

    /** Works whatever is going on, and when nothing is. */
    stop: Effect.gen(function* () {
      yield* listening?.is.reset ?? drop
      const bound = binding.bound()
      if (bound !== undefined) yield* cancelAll(bound, "user")
      yield* outbox.send({ type: "turn", state: "IDLE" })
    })
  }
})

export type Conversation = Effect.Success<ReturnType<typeof makeConversation>>
