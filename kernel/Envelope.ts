/**
 * Events as messages and back: the only place where event bodies are encoded and decoded.
 */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { Event, type EventOf, type EventTag } from "../contract/Events.ts"
import type { Mode, SessionId } from "../contract/Session.ts"
import { HEADERS, settles, subjectOf } from "../contract/Subjects.ts"
import type { Logged } from "./Actor.ts"
import type { Headers, Outgoing, Recorded } from "./Bus.ts"
import { Terminal } from "./Failure.ts"

const decodeJson = Schema.decodeUnknownEffect(Schema.fromJsonString(Event))
const encodeJson = Schema.encodeEffect(Schema.fromJsonString(Event))
const text = new TextDecoder()
const bytes = new TextEncoder()

/** Fails with `event.invalid`, which names the subject and what is wrong, not the content. */
export const decode = (recorded: Pick<Recorded, "subject" | "data">): Effect.Effect<Event, Terminal> =>
  decodeJson(text.decode(recorded.data)).pipe(
    Effect.mapError(
      (cause) => new Terminal({ code: "event.invalid", message: `The event on ${recorded.subject} does not match its schema.`, cause })
    )
  )

export interface Provenance {
  readonly actor: string
  /** `stream:sequence` of the event this one follows from; empty for the first of a session. */
  readonly cause: string
  readonly messageId: string
  readonly headers?: Headers
}

/** The message that carries an event. */
export const encode = (event: Event, from: Provenance): Effect.Effect<Outgoing, Terminal> =>
  encodeJson(event).pipe(
    Effect.mapError(
      (cause) =>
        new Terminal({ code: "event.invalid", message: `${from.actor} made a ${event._tag} that does not match its schema.`, cause })
    ),
    Effect.map((body) => {
      const once = settles(event)
      return {
        subject: subjectOf(event),
        data: bytes.encode(body),
        headers: {
          ...from.headers,
          [HEADERS.actor]: from.actor,
          [HEADERS.cause]: from.cause,
          ...("generation" in event ? { [HEADERS.generation]: String(event.generation) } : {})
        },
        messageId: from.messageId,
        ...(once === undefined ? {} : { once })
      }
    })
  )

/** An event of the log with its provenance. */
export const logged = (recorded: Recorded): Effect.Effect<Logged, Terminal> =>
  Effect.map(decode(recorded), (event) => ({
    event,
    subject: recorded.subject,
    stream: recorded.stream,
    sequence: recorded.sequence,
    time: recorded.time,
    actor: recorded.headers[HEADERS.actor] ?? "",
    cause: recorded.headers[HEADERS.cause] ?? ""
  }))

/** Subject filters for events of some kinds in one session. */
export const historyFilters = (tags: ReadonlyArray<EventTag>, mode: Mode, session: SessionId): ReadonlyArray<string> =>
  tags.flatMap((tag) => [`${tag}.${mode}.${session}`, `${tag}.${mode}.${session}.>`])

/** Narrows a logged event to some kinds. */
export const isOneOf =
  <T extends EventTag>(tags: ReadonlyArray<T>) =>
  (entry: Logged): entry is Logged<EventOf<T>> =>
    tags.some((tag) => tag === entry.event._tag)
