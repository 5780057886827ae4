/** Timers of a conversation: when one is over the assistant says so, in a turn of its own. A restart forgets them. */
import * as Schema from "effect/Schema"
import { command } from "./Command.ts"
import { SessionId } from "./Session.ts"

export const SetTimer = command("timers.set", {
  request: Schema.Struct({
    session: SessionId,
    /** Chosen by the caller: the same id sets the timer once. */
    id: Schema.String.check(Schema.isPattern(/^[\x21-\x7e]{1,128}$/)),
    seconds: Schema.Finite.check(Schema.isBetween({ minimum: 1, maximum: 86_400 })),
    label: Schema.String.check(Schema.isMaxLength(100))
  }),
  reply: Schema.Struct({
    /** ISO 8601. */
    due: Schema.String
  }),
  changes: true,
  means: "The assistant says when a time is over."
})
