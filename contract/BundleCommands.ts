/** Sealed bundles of calls. */
import * as Schema from "effect/Schema"
import { command } from "./Command.ts"
import { SessionId } from "./Session.ts"

export const VerifyBundle = command("bundles.verify", {
  request: Schema.Struct({ session: SessionId }),
  reply: Schema.Struct({
    session: SessionId,
    /** Name of the file. */
    bundle: Schema.String,
    ok: Schema.Boolean,
    /** What was compared with what, and what is wrong: for a person. */
    checked: Schema.Array(Schema.String),
    problems: Schema.Array(Schema.String)
  }),
  changes: false,
  expensive: true,
  means: "Whether the bundle of a call is still what was sealed: hashes, event chain, seal, every byte."
})
