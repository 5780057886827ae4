/**
 * Opens sessions and puts audio into them. The gateway uses it for what arrives over a socket, the capture actor for
 * files. `session.opened` is on the log before the first sample, and a frame counts as recorded when the log confirmed
 * it: whatever is killed, at most the frame in flight is lost.
 */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { ulid } from "ulid"
import type { AudioCaptured, BlobRef, Event, FrameRange, SessionClosed, SessionOpened, Source } from "../../contract/Events.ts"
import type { Mode, SessionConfig, SessionId } from "../../contract/Session.ts"
import { framesSubject } from "../../contract/Subjects.ts"
import { Bus, type Bytes } from "../../kernel/Bus.ts"
import { encode } from "../../kernel/Envelope.ts"
import { type Failure, Terminal } from "../../kernel/Failure.ts"
import { history } from "../../kernel/History.ts"
import { traceparent } from "../../kernel/Trace.ts"
import { typedText } from "../../kernel/TypedText.ts"

export interface OpenOptions {
  readonly mode: Mode
  readonly title: string
  readonly ticket?: string
  readonly source: typeof Source.Type
  readonly config: SessionConfig
}

export interface Session {
  readonly mode: Mode
  readonly session: SessionId
  readonly config: SessionConfig
}

/** The session for one who means the assistant, and says so by a button or a command: no wake word is needed. */
export const addressed = (session: Session): Session => ({
  ...session,
  config: { ...session.config, transcriber: { ...session.config.transcriber, wakeWord: "" } }
})

/** One utterance, or the span of a recording, while it is being spoken. */
export interface Take {
  /** Appends `s16le` samples; returns when the log has them. Call it in order. */
  readonly frame: (pcm: Bytes) => Effect.Effect<void, Failure>
  /** What the log has of it so far. */
  readonly range: () => FrameRange
  /** The turn it will be unless another writer of the session is faster. */
  readonly expected: Effect.Effect<number, Failure>
  /** Ends the take: publishes `audio.captured`. Fails with `audio.empty` when there was no frame. */
  readonly finish: Effect.Effect<{ readonly unit: number; readonly samples: number }, Failure>
}

export class Recorder extends Context.Service<
  Recorder,
  {
    readonly open: (options: OpenOptions) => Effect.Effect<Session, Failure>
    /** @param format Hertz and channels of the frames that follow; `tail` as in `audio.captured` */
    readonly take: (
      session: Session,
      format: { readonly sampleRate: number; readonly channels: number; readonly tail?: number }
    ) => Effect.Effect<Take>
    /** A typed question in place of an utterance; returns its turn. */
    readonly typed: (session: Session, text: string) => Effect.Effect<{ readonly unit: number }, Failure>
    /** A stored file, of any format, in place of an utterance; returns its turn. */
    readonly file: (session: Session, blob: BlobRef) => Effect.Effect<{ readonly unit: number }, Failure>
    readonly close: (session: Session, reason: (typeof SessionClosed.Type)["reason"]) => Effect.Effect<void, Failure>
  }
>()("voxbus/capture/Recorder") {
  static readonly layer: Layer.Layer<Recorder, never, Bus> = Layer.effect(
    Recorder,
    Effect.suspend(() => make)
  )
}

const ACTOR = "capture"

/** The first event of a session. */
export const opened = (session: SessionId, options: OpenOptions, at: number): typeof SessionOpened.Type => ({
  _tag: "session.opened",
  v: 1,
  mode: options.mode,
  session,
  title: options.title,
  ...(options.ticket === undefined ? {} : { ticket: options.ticket }),
  source: options.source,
  config: options.config,
  at: new Date(at).toISOString()
})

const make = Effect.gen(function* () {
  const bus = yield* Bus
  const publish = Effect.fnUntraced(function* (event: Event, id: string) {
    return yield* bus.publish(yield* encode(event, { actor: ACTOR, cause: "", messageId: `${ACTOR}:${id}`, headers: yield* traceparent }))
  })

  /** Number and time of the newest turn of the session, 0 before the first; the log is the counter. */
  const newestUnit = ({ mode, session }: Session) =>
    history(mode, session, ["audio.captured", "text.transcribed"]).pipe(
      Effect.map((past) =>
        past.reduce((newest, { event, time }) => (event.unit >= newest.unit ? { unit: event.unit, time } : newest), { unit: 0, time: 0 })
      ),
      Effect.provideService(Bus, bus)
    )

  /** After a long pause the next question begins a new subject. It is an event, so that a replay knows it too. */
  const forgetIdle = Effect.fnUntraced(function* (
    { mode, session, config }: Session,
    newest: { readonly unit: number; readonly time: number }
  ) {
    const idleMs = config.reasoner.idleMinutes * 60_000
    if (mode !== "assistant" || newest.unit === 0 || idleMs === 0) return
    if ((yield* Clock.currentTimeMillis) - newest.time < idleMs) return
    yield* publish(
      { _tag: "session.cleared", v: 1, mode, session, through: newest.unit, reason: "idle", by: ACTOR },
      `cleared:${session}:${newest.unit}`
    )
  })

  /** Publishes the event of a new unit; another writer of the session may take the number first. */
  const claim = Effect.fnUntraced(function* (session: Session, make: (unit: number) => Event): Effect.fn.Return<number, Failure> {
    for (;;) {
      const newest = yield* newestUnit(session)
      yield* forgetIdle(session, newest)
      const unit = newest.unit + 1
      const { stored } = yield* publish(make(unit), `${session.session}:${ulid()}`)
      if (stored) return unit
    }
  })

  return Recorder.of({
    open: Effect.fnUntraced(function* (options) {
      const at = yield* Clock.currentTimeMillis
      const session = ulid(at)
      yield* publish(opened(session, options, at), `${session}:opened`)
      return { mode: options.mode, session, config: options.config }
    }),
    take: (session, { sampleRate, channels, tail }) =>
      Effect.sync((): Take => {
        let first = 0
        let last = 0
        let count = 0
        let bytes = 0
        const take = ulid()
        return {
          range: () => ({ first, last, count }),
          expected: Effect.map(newestUnit(session), ({ unit }) => unit + 1),
          frame: Effect.fnUntraced(function* (pcm) {
            const { sequence } = yield* bus.publish({
              subject: framesSubject(session.mode, session.session),
              data: pcm,
              // A frame is sent again when the answer is lost; without an id it would be heard twice.
              messageId: `frame:${take}:${bytes}`,
              headers: { "Vox-Rate": String(sampleRate), "Vox-Channels": String(channels), "Vox-Sample": String(bytes / 2 / channels) }
            })
            if (count === 0) first = sequence
            last = sequence
            count += 1
            bytes += pcm.length
          }),
          finish: Effect.gen(function* () {
            const samples = Math.floor(bytes / 2 / channels)
            if (samples === 0)
              return yield* new Terminal({ code: "audio.empty", message: "Nothing was recorded. Hold the button while you speak." })
            const unit = yield* claim(session, (unit): typeof AudioCaptured.Type => ({
              _tag: "audio.captured",
              v: 1,
              mode: session.mode,
              session: session.session,
              unit,
              audio: { frames: { first, last, count } },
              codec: "pcm_s16le",
              sampleRate,
              channels,
              samples,
              ...(tail === undefined ? {} : { tail }),
              config: session.config
            }))
            return { unit, samples }
          })
        }
      }),
    typed: (session, text) =>
      Effect.map(
        claim(session, (unit) => typedText(session, unit, text)),
        (unit) => ({ unit })
      ),
    file: (session, blob) =>
      Effect.map(
        claim(session, (unit): typeof AudioCaptured.Type => ({
          _tag: "audio.captured",
          v: 1,
          mode: session.mode,
          session: session.session,
          unit,
          audio: { blob },
          codec: "file",
          config: session.config
        })),
        (unit) => ({ unit })
      ),
    close: Effect.fnUntraced(function* (session, reason) {
      const { unit: captured } = yield* newestUnit(session)
      yield* publish(
        { _tag: "session.closed", v: 1, mode: session.mode, session: session.session, reason, captured },
        `${session.session}:closed`
      )
    })
  })
})
