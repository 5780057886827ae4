/**
 * A call that a client of `/ws` records: its microphone, the audio of a tab, or both as two channels. Starting and steering
 * are the commands that everybody has; only the audio goes the short way, and `record.ack` says how much of it is saved.
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Schedule from "effect/Schedule"
import * as Schema from "effect/Schema"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import { type Feed, Recordings } from "../actors/capture/index.ts"
import * as Contract from "../contract/RecordingCommands.ts"
import type { SessionId } from "../contract/Session.ts"
import { levelSubject } from "../contract/Subjects.ts"
import { Bus, type Bytes } from "../kernel/Bus.ts"
import { call } from "../kernel/Commands.ts"
import { type Failure, Terminal } from "../kernel/Failure.ts"
import type { Outbox } from "./Outbox.ts"
import type { ClientMessageOf } from "./Protocol.ts"

/** Between two looks at what is saved. A client keeps its audio at least as long. */
const LOOK = "100 millis"
/** Bytes that go to the recorder at once; whole samples of one or two channels. */
const PART_BYTES = 64 * 1024

/**
 * Milliseconds. Audio that comes while none is taken is left out, and then all that follows until the client has heard of
 * it and is quiet for so long: else a frame that was under way would be taken for the one to come next.
 */
const HUSH = 500

const ACTIONS = {
  pause: Contract.RecordingPause,
  resume: Contract.RecordingResume,
  stop: Contract.RecordingStop,
  cancel: Contract.RecordingCancel,
  discard: Contract.RecordingDiscard,
  undo: Contract.RecordingUndo
} as const

const decodeLevel = Schema.decodeUnknownOption(
  Schema.fromJsonString(Schema.Struct({ peak: Schema.Array(Schema.Finite), rms: Schema.Array(Schema.Finite) }))
)

/** Lives as long as the scope; needs one. The recording lives longer: a client that comes back goes on with it. */
export const makeCapture = Effect.fnUntraced(function* (outbox: Outbox, who: string) {
  const bus = yield* Bus
  const recordings = yield* Recordings
  const scope = yield* Effect.scope
  let held: { readonly feed: Feed; readonly watcher: Fiber.Fiber<unknown> } | undefined
  let hushUntil = 0

  const onBus = <A>(work: Effect.Effect<A, Failure, Bus>) => Effect.provideService(work, Bus, bus)

  /** Says what is saved whenever that changed, until the recording is over. */
  const acknowledge = (feed: Feed) => {
    let said = ""
    return Effect.flatMap(Clock.currentTimeMillis, (now) => {
      const { state, samples, next } = feed.view()
      const hushed = state === "recording" && now < hushUntil
      const message = { type: "record.ack", session: feed.session, state: hushed ? "waiting" : state, samples, next } as const
      const news = JSON.stringify(message)
      if (news === said) return Effect.succeed(state)
      said = news
      return Effect.as(outbox.send(message), state)
    }).pipe(Effect.repeat({ until: (state) => state === "ended", schedule: Schedule.spaced(LOOK) }))
  }

  const levels = (session: SessionId) =>
    Stream.unwrap(bus.listen(levelSubject(session))).pipe(
      Stream.runForEach(({ data }) => {
        const level = decodeLevel(new TextDecoder().decode(data))
        return level._tag === "None" ? Effect.void : outbox.send({ type: "record.level", session, ...level.value })
      }),
      Effect.ignore
    )

  const attach = Effect.fnUntraced(function* (session: SessionId, missed: boolean) {
    const feed = yield* recordings.join(session, missed)
    if (held !== undefined) yield* Effect.andThen(Fiber.interrupt(held.watcher), held.feed.release)
    yield* Scope.addFinalizer(scope, feed.release)
    const watcher = yield* Effect.raceFirst(acknowledge(feed), Effect.andThen(levels(session), Effect.never)).pipe(Effect.forkIn(scope))
    held = { feed, watcher }
    hushUntil = 0
  })

  return {
    /** Whether binary frames are its. */
    takesAudio: () => held !== undefined,
    /** A recording that is over leaves the frames to others. */
    letGo: Effect.sync(() => {
      if (held?.feed.view().state === "ended") held = undefined
    }),

    start: Effect.fnUntraced(function* (message: ClientMessageOf<"record.start">): Effect.fn.Return<void, Failure> {
      const { name = "Browser", sampleRate, channels = 1, title, ticket, idempotencyKey } = message
      const rest = {
        ...(title === undefined ? {} : { title }),
        ...(ticket === undefined ? {} : { ticket }),
        ...(idempotencyKey === undefined ? {} : { idempotencyKey })
      }
      const { session } = yield* onBus(
        call(Contract.RecordingStart, { ...rest, source: { kind: "stream", name, sampleRate, channels } }, { as: who })
      )
      if (session === undefined) return yield* new Terminal({ code: "internal", message: "The recording did not start." })
      const recording = yield* recordings.find(session)
      // With a key that was used before this goes on with a recording that has a past.
      yield* attach(session, recording.view().recorded > 0)
    }),

    join: ({ session, missed = false }: ClientMessageOf<"record.join">) => attach(session, missed),

    act: Effect.fnUntraced(function* ({
      action,
      session = held?.feed.session
    }: ClientMessageOf<"record.do">): Effect.fn.Return<void, Failure> {
      yield* onBus(call(ACTIONS[action], session === undefined ? {} : { session }, { as: who }))
    }),

    /** What comes while nobody takes it (a pause) is left out. */
    frame: Effect.fnUntraced(function* (pcm: Bytes): Effect.fn.Return<void, Failure> {
      if (held === undefined) return
      const now = yield* Clock.currentTimeMillis
      let taken = now >= hushUntil
      for (let at = 0; taken && at < pcm.length; at += PART_BYTES) taken = yield* held.feed.push(pcm.subarray(at, at + PART_BYTES))
      if (!taken) hushUntil = now + HUSH
    })
  }
})

export type Capture = Effect.Success<ReturnType<typeof makeCapture>>
