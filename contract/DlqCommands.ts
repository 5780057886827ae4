/**
 * Dead letters: events that an actor gave up on. A letter says which event and why; the event stays on its own stream.
 * Its number is its place in the stream `DLQ` and never changes.
 */
import * as Schema from "effect/Schema"
import { command } from "./Command.ts"
import { ErrorCode } from "./Errors.ts"

const Id = Schema.Int.check(Schema.isGreaterThanOrEqualTo(1))

export const Letter = Schema.Struct({
  id: Id,
  /** Who could not handle it, and what: `stream:sequence`, and its subject. */
  actor: Schema.String,
  event: Schema.String,
  subject: Schema.String,
  /** Absent where the subject is not that of a session. */
  session: Schema.optionalKey(Schema.String),
  unit: Schema.optionalKey(Schema.Int),
  /** From the error table. */
  code: ErrorCode,
  /** For a person; names no content. */
  message: Schema.String,
  attempts: Schema.Int,
  /** ISO 8601. */
  at: Schema.String,
  /**
   * `open`: nobody has done anything about it. `retrying`: given back, not settled yet. `done`: it worked then.
   * `failed`: it did not; a newer letter says why. `dropped`: set aside.
   */
  state: Schema.Literals(["open", "retrying", "done", "failed", "dropped"]),
  /** The letter that this is the failed retry of, and the one that came of retrying this. */
  retryOf: Schema.optionalKey(Id),
  newer: Schema.optionalKey(Id)
})
export type Letter = typeof Letter.Type

const Letters = Schema.Struct({ letters: Schema.Array(Letter) })
/** These letters, or with `all` every open one. */
const Choice = Schema.Struct({ ids: Schema.optionalKey(Schema.Array(Id)), all: Schema.optionalKey(Schema.Boolean) })

export const ListLetters = command("dlq.list", {
  request: Schema.Struct({
    /** Also those that are done, failed again or dropped. */
    all: Schema.optionalKey(Schema.Boolean)
  }),
  reply: Letters,
  changes: false,
  means: "Events that could not be handled, with the reason; the oldest first."
})

export const ShowLetter = command("dlq.show", {
  request: Schema.Struct({ id: Id }),
  reply: Schema.Struct({
    letter: Letter,
    /** The event as it stands on its stream, JSON unless that is what is wrong with it; absent when it is gone. */
    body: Schema.optionalKey(Schema.String)
  }),
  changes: false,
  means: "One of them, with the event itself."
})

export const RetryLetters = command("dlq.retry", {
  request: Choice,
  reply: Letters,
  changes: true,
  means: "Gives events back to the actor that could not handle them. The answer comes before the work is done: list or show them to see."
})

export const DropLetters = command("dlq.drop", {
  request: Choice,
  reply: Letters,
  changes: true,
  means: "Sets dead letters aside. Nothing is deleted: `dlq.restore` takes it back."
})

export const RestoreLetters = command("dlq.restore", {
  request: Schema.Struct({ ids: Schema.Array(Id) }),
  reply: Letters,
  changes: true,
  means: "Makes dropped letters open again."
})
