/**
 * A session for one request: opened, followed, and forgotten when the scope of the request closes, also when the client
 * goes away in the middle. It is a conversation like any other: the actors do the work, and the log has it while it lasts.
 *
 * Conversations that are not kept (the default) lose their audio and words a few seconds after the answer; with
 * `privacy.keepConversations` they stay until somebody deletes them.
 */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type * as Stream from "effect/Stream"
import { Recorder, type Session } from "../../actors/capture/index.ts"
import type { Event, SessionEvent } from "../../contract/Events.ts"
import type { SessionConfig } from "../../contract/Session.ts"
import { blobStream, eventStream, frameStream, framesSubject, sessionFilters } from "../../contract/Subjects.ts"
import { Bus } from "../../kernel/Bus.ts"
import { encode } from "../../kernel/Envelope.ts"
import type { Failure } from "../../kernel/Failure.ts"
import { Settings } from "../../kernel/Settings.ts"
import { traceparent } from "../../kernel/Trace.ts"
import { orFailure, sessionEvents } from "../SessionEvents.ts"

const MODE = "assistant"
/** The actors settle what they hold of a session before its messages go. */
const LINGER = "5 seconds"

export interface Private {
  readonly session: Session
  /** Returns when the log has the event. */
  readonly publish: (event: Event) => Effect.Effect<void, Failure>
  /** Everything that happens in it, from the start, for as long as somebody listens. */
  readonly all: Stream.Stream<SessionEvent, Failure>
  /** The same; fails with what an actor could not do, and when nothing happens for too long. */
  readonly events: Stream.Stream<SessionEvent, Failure>
  /** Nothing is left to do: a request that ends without it cancels `unit`. */
  readonly done: Effect.Effect<void>
}

/** Makes sessions; lives as long as the gateway. */
export const makePrivate = Effect.gen(function* () {
  const bus = yield* Bus
  const recorder = yield* Recorder
  const { privacy } = yield* Settings
  const outer = yield* Effect.scope

  const publish = Effect.fnUntraced(function* (event: Event, id: string) {
    yield* bus.publish(yield* encode(event, { actor: "gateway", cause: "", messageId: `gateway:${id}`, headers: yield* traceparent }))
  })

  const forget = Effect.fnUntraced(function* ({ session }: Session) {
    if (privacy.keepConversations) return
    yield* Effect.sleep(LINGER)
    yield* bus.purge(frameStream(MODE), framesSubject(MODE, session))
    yield* bus.purge(blobStream(MODE), `blobs.${MODE}.${session}.>`)
    for (const filter of sessionFilters(MODE, session)) yield* bus.purge(eventStream(MODE), filter)
  })

  return Effect.fnUntraced(function* (title: string, config: SessionConfig, unit = 1): Effect.fn.Return<Private, Failure, Scope.Scope> {
    let finished = false
    const cancelled = ({ session }: Session): Event => ({
      _tag: "turn.cancelled",
      v: 1,
      mode: MODE,
      session,
      unit,
      generation: 0,
      reason: "user"
    })
    const session = yield* Effect.acquireRelease(
      recorder.open({ mode: MODE, title, source: { kind: "stream", name: "api" }, config }),
      (opened) =>
        Effect.suspend(() => (finished ? Effect.void : publish(cancelled(opened), `cancel:${opened.session}`))).pipe(
          Effect.andThen(recorder.close(opened, "complete")),
          Effect.timeoutOption("2 seconds"),
          Effect.ignore,
          Effect.andThen(Effect.forkIn(Effect.ignore(forget(opened)), outer))
        )
    )
    let published = 0
    const all = sessionEvents(bus, MODE, session.session)
    return {
      session,
      publish: (event) => Effect.suspend(() => publish(event, `${session.session}:${(published += 1)}`)),
      all,
      events: orFailure(all),
      done: Effect.sync(() => void (finished = true))
    }
  })
})

export type OpenPrivate = Effect.Success<typeof makePrivate>
