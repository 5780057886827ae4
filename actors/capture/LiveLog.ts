/**
 * The log of one live recording, as its recorder writes it: numbered events, frames, the end mark. What was counted
 * before a crash is read back first, so that numbers go on and nothing is overwritten.
 */
import * as Effect from "effect/Effect"
import type { AudioCaptured, Event, EventOf, EventTag } from "../../contract/Events.ts"
import { TIMELINE_RATE } from "../../contract/Events.ts"
import type { SessionConfig, SessionId } from "../../contract/Session.ts"
import { blobStream, eventStream, FRAME, frameStream, framesSubject } from "../../contract/Subjects.ts"
import type { Logged } from "../../kernel/Actor.ts"
import { Bus, type Bytes } from "../../kernel/Bus.ts"
import { encode } from "../../kernel/Envelope.ts"
import { traceparent } from "../../kernel/Trace.ts"

const ACTOR = "capture"
const MODE = "call"

export interface Format {
  readonly sampleRate: number
  readonly channels: number
}

/** Frames of one span that the log has. */
export interface SavedSpan extends Format {
  readonly unit: number
  /** Where it begins on the timeline. */
  readonly start: number
  readonly first: number
  readonly last: number
  readonly count: number
  /** Samples per channel. */
  readonly samples: number
}

/** Samples of the timeline that so many of the source are. */
export const onTimeline = (samples: number, sampleRate: number): number => Math.floor((samples * TIMELINE_RATE) / sampleRate)

/** Events of a recording that have a number of their own. */
type Counted = EventOf<
  "session.paused" | "session.resumed" | "session.recovering" | "session.discarded" | "session.restored" | "session.warned"
>
type CountedTag = Counted["_tag"]
type Body<T extends CountedTag> = Omit<EventOf<T>, "_tag" | "v" | "mode" | "session" | "n">

export const makeLiveLog = Effect.fnUntraced(function* (session: SessionId, config: SessionConfig, past: ReadonlyArray<Logged> = []) {
  const bus = yield* Bus
  const base = { v: 1, mode: MODE, session } as const
  const numbers = new Map<EventTag, number>()
  for (const { event } of past) if ("n" in event) numbers.set(event._tag, Math.max(numbers.get(event._tag) ?? 0, event.n))

  const publish = Effect.fnUntraced(function* (event: Event, id: string) {
    yield* bus.publish(
      yield* encode(event, { actor: ACTOR, cause: "", messageId: `${ACTOR}:${session}:${id}`, headers: yield* traceparent })
    )
  })

  return {
    publish,
    counted: <T extends CountedTag>(tag: T, body: Body<T>) =>
      Effect.suspend(() => {
        const n = (numbers.get(tag) ?? 0) + 1
        numbers.set(tag, n)
        // The compiler cannot see that tag and body belong together.
        return publish({ _tag: tag, ...base, n, ...body } as unknown as Event, `${tag}:${n}`)
      }),

    /** Returns its sequence once the log has it. */
    frame: Effect.fnUntraced(function* (pcm: Bytes, format: Format, span: number, start: number, index: number) {
      const { sequence } = yield* bus.publish({
        subject: framesSubject(MODE, session),
        data: pcm,
        headers: {
          [FRAME.rate]: String(format.sampleRate),
          [FRAME.channels]: String(format.channels),
          [FRAME.span]: String(span),
          [FRAME.start]: String(start)
        },
        messageId: `${session}:${span}:${index}`
      })
      return sequence
    }),

    captured: ({ unit, start, first, last, count, samples, sampleRate, channels }: SavedSpan) => {
      const event: typeof AudioCaptured.Type = {
        _tag: "audio.captured",
        ...base,
        unit,
        start,
        audio: { frames: { first, last, count } },
        codec: "pcm_s16le",
        sampleRate,
        channels,
        samples,
        config
      }
      return publish(event, `captured:${unit}`)
    },

    /** The last event and the mark behind the last frame, in this order: who sees the mark finds everything else. */
    close: Effect.fnUntraced(function* (reason: EventOf<"session.closed">["reason"], captured: number) {
      yield* publish({ _tag: "session.closed", ...base, reason, captured }, "closed")
      yield* bus.publish({
        subject: framesSubject(MODE, session),
        data: new Uint8Array(),
        headers: {
          [FRAME.rate]: String(TIMELINE_RATE),
          [FRAME.channels]: "1",
          [FRAME.span]: "0",
          [FRAME.start]: "0",
          [FRAME.end]: reason === "cancelled" ? "cancelled" : "closed"
        },
        messageId: `${session}:end`
      })
    }),

    /** The audio and the words of a recording that was thrown away. */
    erase: Effect.gen(function* () {
      yield* bus.purge(frameStream(MODE), framesSubject(MODE, session))
      yield* bus.purge(blobStream(MODE), `blobs.${MODE}.${session}.>`)
      for (const noun of ["text", "audio"]) yield* bus.purge(eventStream(MODE), `${noun}.*.${MODE}.${session}.>`)
    })
  }
})

export type LiveLog = Effect.Success<ReturnType<typeof makeLiveLog>>
