/**
 * A client and the recording that it sends the audio of. The rule: the client keeps what it sent until it is said to be
 * saved; after a break it sends from `next` on. Whatever dies in between, each sample is recorded once.
 */
import * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"
import type { SessionId } from "../../contract/Session.ts"
import type { Bytes } from "../../kernel/Bus.ts"
import { Terminal } from "../../kernel/Failure.ts"
import type { Recording, Stage } from "./Recording.ts"
import type { PushedSource } from "./sources/pushed.ts"

export interface Progress {
  /** `recording`: audio is taken. `waiting`: not yet, or not for the moment. */
  readonly state: Stage
  /** Saved, per channel at the rate of the source (of a device: on the timeline). */
  readonly samples: number
  /** The sample to send next. */
  readonly next: number
}

export interface Feed {
  readonly session: SessionId
  /**
   * False when it is not taken: paused, ended, or the first from a client that takes over, which has to look where to go on.
   * Fails for one who was replaced by another client.
   */
  readonly push: (pcm: Bytes) => Effect.Effect<boolean, Terminal>
  readonly view: () => Progress
  /** The client is gone: the next one who joins is the one who sends. */
  readonly release: Effect.Effect<void>
}

const replaced = new Terminal({ code: "recording.state", message: "Another connection sends the audio of this recording now." })
const deaf = new Terminal({ code: "input.invalid", message: "This recording is made from a device or a file; it takes no audio." })

/** @param source the recording's; a device has none */
export const progressOf = (recording: Recording, source: PushedSource | undefined): Progress => {
  const { stage, seconds, position } = recording.view()
  if (source === undefined) return { state: stage, samples: position, next: position }
  const samples = source.samplesOf(seconds)
  const next = source.next()
  if (stage !== "recording" && stage !== "waiting") return { state: stage, samples, next: samples }
  return { state: next === undefined ? "waiting" : "recording", samples, next: next ?? samples }
}

/** Ends the stretch that runs, so that the next one begins at its own time. */
const cut = Effect.fnUntraced(function* (recording: Recording, source: PushedSource) {
  const ran = source.next() !== undefined
  yield* source.missed
  if (!ran) return
  yield* Effect.sync(() => source.next() === undefined && recording.view().stage !== "recording").pipe(
    Effect.repeat({ until: (over) => over, schedule: Schedule.spaced("10 millis") }),
    Effect.timeoutOption("5 seconds")
  )
})

export const makeFeeds = () => {
  /** Who sends, by the number of their joining; whoever only watches is not in it. */
  const holders = new Map<SessionId, number>()
  let joined = 0
  return {
    /** @param missed the client has not all audio since the last it sent (a page that was loaded anew): the time is a gap */
    join: Effect.fnUntraced(function* (recording: Recording, source: PushedSource | undefined, missed: boolean) {
      const { session } = recording
      joined += 1
      const own = joined
      if (missed || !holders.has(session)) holders.set(session, own)
      if (source !== undefined) {
        if (missed) yield* cut(recording, source)
        // It waits for us; without this it would look again in two seconds.
        if (recording.view().stage === "waiting" && source.next() === undefined) yield* Effect.ignore(recording.ask("resume"))
      }
      const feed: Feed = {
        session,
        push: (pcm) =>
          Effect.suspend(() => {
            if (source === undefined) return Effect.fail(deaf)
            const holder = holders.get(session) ?? own
            if (holder > own) return Effect.fail(replaced)
            holders.set(session, own)
            return holder === own ? source.push(pcm) : Effect.succeed(false)
          }),
        view: () => progressOf(recording, source),
        release: Effect.sync(() => {
          if (holders.get(session) === own) holders.delete(session)
        })
      }
      return feed
    }),
    forget: (session: SessionId) => holders.delete(session)
  }
}
