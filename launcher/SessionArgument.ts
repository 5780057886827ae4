/** A session id from the command line. What is no id cannot be a session. */
import * as Argument from "effect/cli/Argument"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { SessionId } from "../contract/Session.ts"
import { Terminal } from "../kernel/Failure.ts"

const isSessionId = Schema.is(SessionId)

export const checkedSession = (text: string): Effect.Effect<SessionId, Terminal> => {
  const id = text.toUpperCase()
  return isSessionId(id)
    ? Effect.succeed(id)
    : Effect.fail(new Terminal({ code: "session.unknown", message: `There is no session ${text}; an id is 26 letters and digits.` }))
}

export const sessionArgument = Argument.String("session").pipe(Argument.withDescription("Id of a session, see `voxbus sessions`"))
