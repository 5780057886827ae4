/**
 * For people who write actors: run one on the in-memory bus, send it an event, get back what came of it.
 *
 * @example
 * const kit = yield* testkit(myActor)
 * const outcome = yield* kit.send(event)
 * assert.deepStrictEqual(outcome.events.map((e) => e._tag), ["text.transcribed"])
 */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schedule from "effect/Schedule"
import * as Stream from "effect/Stream"
import type { Event, SessionEvent } from "../../contract/Events.ts"
import { eventStream, HEADERS } from "../../contract/Subjects.ts"
import type { Actor } from "../Actor.ts"
import type { Blobs } from "../Blobs.ts"
import { Bus } from "../Bus.ts"
import { busBlobs, busFrames } from "../BusBlobs.ts"
import { type CoreRequest, Cores } from "../Cores.ts"
import { DEAD } from "../DeadLetters.ts"
import { decode, encode } from "../Envelope.ts"
import { Terminal } from "../Failure.ts"
import type { Frames } from "../Frames.ts"
import { start } from "../Runtime.ts"
import { memoryBus } from "./MemoryBus.ts"

export interface Outcome {
  /** What the actor published because of the event, in order. */
  readonly events: ReadonlyArray<Event>
  /** Set when the event ended in the dead letters. */
  readonly dead?: { readonly code: string; readonly message: string; readonly attempts: number }
}

/** Cores without a limit or a wait: every request gets what it wants. */
export const freeCores = (total = 2): Layer.Layer<Cores> =>
  Layer.succeed(
    Cores,
    Cores.of({ total, lease: (request: CoreRequest, use) => use({ threads: Math.min(request.want, total), shrink: () => Effect.void }) })
  )

/** Bus, blobs, frames and cores for a test. */
export const testLayer: Layer.Layer<Bus | Blobs | Frames | Cores> = Layer.mergeAll(busBlobs, busFrames, freeCores()).pipe(
  Layer.provideMerge(memoryBus)
)

const ACK_WAIT_MS = 2_500

/** Starts the actor; needs a `Scope`. Put events of the past on the log with `seed` before. */
export const testkit = Effect.fnUntraced(function* <R>(actor: Actor<R>) {
  const bus = yield* Bus
  let sent = 0
  yield* start(actor, { ackWaitMs: ACK_WAIT_MS })
  const put = Effect.fnUntraced(function* (event: SessionEvent) {
    sent += 1
    const outgoing = yield* encode(event, { actor: "testkit", cause: "", messageId: `testkit:${sent}` })
    const { sequence, stored } = yield* bus.publish(outgoing)
    if (!stored) return yield* new Terminal({ code: "event.invalid", message: `${outgoing.subject} is on the log already.` })
    return sequence
  })
  /** Publishes the event and waits (live clock, at most `timeoutMs`) until the actor has settled it. */
  const send = Effect.fnUntraced(function* (event: SessionEvent, timeoutMs = 20_000) {
    const sequence = yield* put(event)
    const stream = eventStream(event.mode)
    const cause = `${stream}:${sequence}`
    const consumer = yield* bus.consumer({ stream, durable: actor.name, filters: [], ackWaitMs: ACK_WAIT_MS })
    yield* consumer.settled(sequence).pipe(
      Effect.repeat({ until: (settled) => settled, schedule: Schedule.spaced("5 millis") }),
      Effect.timeoutOrElse({
        duration: timeoutMs,
        orElse: () =>
          Effect.fail(
            new Terminal({ code: "engine.timeout", message: `${actor.name} did not settle ${event._tag} within ${timeoutMs} ms.` })
          )
      })
    )
    const records = yield* Stream.runCollect(bus.read(stream, { filters: [">"] }))
    const events = yield* Effect.forEach(
      records.filter(
        (record) =>
          record.headers[HEADERS.cause] === cause && record.headers[HEADERS.actor] === actor.name && !record.subject.startsWith("error.")
      ),
      decode
    )
    const letters = yield* Stream.runCollect(bus.read("DLQ", { filters: [">"] }))
    const letter = letters.find((record) => record.headers[HEADERS.cause] === cause)?.headers
    const outcome: Outcome = {
      events,
      ...(letter === undefined
        ? {}
        : { dead: { code: letter[DEAD.code] ?? "", message: letter[DEAD.message] ?? "", attempts: Number(letter[DEAD.attempts]) } })
    }
    return outcome
  })
  return { send, seed: put }
})
