/**
 * Push to talk on this machine: one microphone, one question at a time, one answer being played. A new question stops the
 * answer before it.
 */
import type { Done } from "effect/Cause"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Queue from "effect/Queue"
import * as Scope from "effect/Scope"
import * as Semaphore from "effect/Semaphore"
import * as Stream from "effect/Stream"
import { addressed, deviceSource, Recorder, type Session, type Take } from "../../actors/capture/index.ts"
import type { SessionId } from "../../contract/Session.ts"
import type { TalkReply } from "../../contract/TalkCommands.ts"
import type { Bytes } from "../../kernel/Bus.ts"
import { type Failure, Terminal } from "../../kernel/Failure.ts"
import { Settings } from "../../kernel/Settings.ts"
import type { Base } from "../Registry.ts"
import { enter, stop } from "./Conversations.ts"
import { playAnswer } from "./Playback.ts"

/** Hertz; speech recognition wants no more. */
const RATE = 16_000
/** A key that was forgotten. */
const LONGEST = "2 minutes"

interface Listening {
  readonly session: Session
  readonly take: Take
  readonly scope: Scope.Closeable
  readonly fiber: Fiber.Fiber<void, Failure>
}

export interface TalkRequest {
  readonly session?: SessionId
  readonly device?: string
}

export class Talk extends Context.Service<
  Talk,
  {
    readonly start: (request: TalkRequest) => Effect.Effect<TalkReply, Failure>
    readonly stop: Effect.Effect<TalkReply, Failure>
    readonly toggle: (request: TalkRequest) => Effect.Effect<TalkReply, Failure>
    readonly status: Effect.Effect<TalkReply>
  }
>()("voxbus/launcher/Talk") {
  static readonly layer: Layer.Layer<Talk, never, Base> = Layer.effect(
    Talk,
    Effect.gen(function* () {
      const services = yield* Effect.context<Base>()
      const outer = yield* Effect.scope
      const one = yield* Semaphore.make(1)
      let listening: Listening | undefined
      let answer: { readonly session: SessionId; readonly turn: number; readonly fiber: Fiber.Fiber<void> } | undefined

      const playing = () => answer !== undefined && answer.fiber.pollUnsafe() === undefined
      const status = Effect.sync((): TalkReply => {
        const session = listening?.session.session ?? answer?.session
        return {
          listening: listening !== undefined,
          playing: playing(),
          ...(session === undefined ? {} : { session }),
          ...(answer === undefined ? {} : { turn: answer.turn })
        }
      })

      /** The answer before is silent at once, then cancelled for everybody. */
      const hush = Effect.suspend(() => {
        if (answer === undefined || !playing()) return Effect.void
        const { session, turn, fiber } = answer
        return Effect.andThen(Fiber.interrupt(fiber), stop(session, turn))
      })

      const begin = Effect.fnUntraced(function* ({ session: id, device = "default" }: TalkRequest) {
        if (listening !== undefined) return yield* status
        yield* hush
        const session = addressed(yield* enter({ session: id ?? answer?.session }))
        const scope = yield* Scope.fork(outer)
        const lists = Effect.map(Settings.current, ({ recording }) => recording)
        const source = deviceSource(device, RATE, Effect.provide(lists, services))
        const { sampleRate, channels, feed } = yield* source.open(0).pipe(
          Effect.provideService(Scope.Scope, scope),
          Effect.tapError(() => Scope.close(scope, Exit.void))
        )
        const take = yield* (yield* Recorder).take(session, { sampleRate, channels })
        const queue = yield* Queue.unbounded<Bytes, Done>()
        yield* feed(queue).pipe(Effect.ensuring(Queue.end(queue)), Effect.ignore, Effect.forkIn(scope))
        const fiber = yield* Stream.runForEach(Stream.fromQueue(queue), take.frame).pipe(
          Effect.timeoutOption(LONGEST),
          Effect.asVoid,
          Effect.forkIn(scope)
        )
        listening = { session, take, scope, fiber }
        return yield* status
      })

      const end = Effect.gen(function* () {
        const open = listening
        if (open === undefined) return yield* new Terminal({ code: "recording.state", message: "The microphone is not open." })
        listening = undefined
        const lost = open.fiber.pollUnsafe()
        yield* Scope.close(open.scope, Exit.void)
        if (lost !== undefined) yield* Effect.logWarning("the microphone ended by itself; what was said before is used")
        const { unit } = yield* open.take.finish
        const { session } = open.session
        answer = { session, turn: unit, fiber: yield* playAnswer(session, unit).pipe(Effect.forkIn(outer)) }
        return yield* status
      })

      const alone = <A>(work: Effect.Effect<A, Failure, Base | Recorder>) =>
        Semaphore.withPermits(one, 1)(work).pipe(Effect.provide(Recorder.layer), Effect.provide(services))

      return Talk.of({
        start: (request) => alone(begin(request)),
        stop: alone(end),
        toggle: (request) =>
          alone(
            Effect.gen(function* () {
              return yield* listening === undefined ? begin(request) : end
            })
          ),
        status
      })
    })
  )
}
