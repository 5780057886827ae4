/**
 * A key that the caller chose names one session for ever: the log is the memory. Whoever comes second, or again after a
 * crash, gets the session of the first.
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import { ulid } from "ulid"
import { createHash } from "node:crypto"
import type { EventOf } from "../contract/Events.ts"
import type { Mode, SessionId } from "../contract/Session.ts"
import { eventStream, subjectOf } from "../contract/Subjects.ts"
import { Bus } from "./Bus.ts"
import { decode, encode } from "./Envelope.ts"
import { type Failure, Terminal } from "./Failure.ts"

/** @param key without one, every call gets a session of its own */
export const sessionFor = Effect.fnUntraced(function* (
  mode: Mode,
  key: string | undefined,
  actor: string
): Effect.fn.Return<{ readonly session: SessionId; readonly fresh: boolean }, Failure, Bus> {
  const bus = yield* Bus
  const session = ulid(yield* Clock.currentTimeMillis)
  if (key === undefined) return { session, fresh: true }
  const keySha256 = createHash("sha256").update(key).digest("hex")
  const event: EventOf<"session.keyed"> = { _tag: "session.keyed", v: 1, mode, session, keySha256 }
  const known = yield* bus.last(eventStream(mode), [subjectOf(event)])
  if (known.length === 0) {
    const { stored } = yield* bus.publish(yield* encode(event, { actor, cause: "", messageId: `${actor}:key:${session}` }))
    if (stored) return { session, fresh: true }
  }
  const [first] = known.length > 0 ? known : yield* bus.last(eventStream(mode), [subjectOf(event)])
  const found = first === undefined ? undefined : yield* decode(first)
  if (found?._tag === "session.keyed") return { session: found.session, fresh: false }
  return yield* new Terminal({ code: "internal", message: "The session of an idempotency key cannot be read." })
})
