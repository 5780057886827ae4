/** Push to talk on this machine, as commands. */
import * as Effect from "effect/Effect"
import { StartTalk, StopTalk, TalkStatus, ToggleTalk } from "../../contract/TalkCommands.ts"
import { handler } from "../../kernel/Commands.ts"
import { Talk } from "../conversation/Talk.ts"

export const talkHandlers = [
  handler(StartTalk, (request) => Effect.flatMap(Talk, (talk) => talk.start(request))),
  handler(StopTalk, () => Effect.flatMap(Talk, (talk) => talk.stop)),
  handler(ToggleTalk, (request) => Effect.flatMap(Talk, (talk) => talk.toggle(request))),
  handler(TalkStatus, () => Effect.flatMap(Talk, (talk) => talk.status))
]
