/** Serves the commands on the past of a session. */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { ReplaySession, RetranscribeSession, ShowSession } from "../../contract/HistoryCommands.ts"
import type { EventOf } from "../../contract/Events.ts"
import { TranscriberOptions } from "../../contract/Session.ts"
import { Bus } from "../../kernel/Bus.ts"
import { handler } from "../../kernel/Commands.ts"
import { encode } from "../../kernel/Envelope.ts"
import { Terminal } from "../../kernel/Failure.ts"
import { nextVersion } from "../../kernel/folds/Transcripts.ts"
import { history } from "../../kernel/History.ts"
import { recordingOf } from "../replay/Recording.ts"
import { replay } from "../replay/Replay.ts"
import { show } from "../replay/Show.ts"

const showHandler = handler(ShowSession, ({ session, at }) => show(session, at))
const replayHandler = handler(ReplaySession, replay)

const decodeOptions = Schema.decodeUnknownEffect(TranscriberOptions)

const retranscribe = handler(
  RetranscribeSession,
  Effect.fnUntraced(function* ({ session, model, engine, language }) {
    const bus = yield* Bus
    const { mode } = yield* recordingOf(session)
    if (mode !== "call")
      return yield* new Terminal({ code: "input.invalid", message: `${session} is a conversation; only a call is transcribed again.` })
    const log = yield* history(mode, session, ["session.opened", "audio.completed"])
    const opened = log.map(({ event }) => event).find((event) => event._tag === "session.opened")
    const audio = log.map(({ event }) => event).find((event) => event._tag === "audio.completed")
    if (opened === undefined || audio === undefined) {
      return yield* new Terminal({ code: "input.invalid", message: `Call ${session} is not finished yet.` })
    }
    if (audio.chunks === 0) return yield* new Terminal({ code: "input.invalid", message: `No speech was detected in call ${session}.` })
    const transcriber = yield* decodeOptions({
      ...opened.config.transcriber,
      ...(model === undefined ? {} : { model }),
      ...(engine === undefined ? {} : { engine }),
      ...(language === undefined ? {} : { language })
    }).pipe(Effect.mapError((cause) => new Terminal({ code: "input.invalid", message: cause.message, cause })))
    /** Takes the next free number; somebody else may be faster. */
    const claim: Effect.Effect<number, Effect.Error<ReturnType<typeof bus.publish>>, Bus> = Effect.gen(function* () {
      const known = (yield* history(mode, session, ["transcript.requested", "transcript.completed"])).map(({ event }) => event)
      const version = nextVersion(
        known.filter((event) => event._tag === "transcript.requested"),
        known.filter((event) => event._tag === "transcript.completed")
      )
      const event: EventOf<"transcript.requested"> = {
        _tag: "transcript.requested",
        v: 1,
        mode,
        session,
        version,
        reason: "model",
        config: { ...opened.config, transcriber }
      }
      const { stored } = yield* bus.publish(
        yield* encode(event, { actor: "launcher", cause: "", messageId: `version:${session}:${version}` })
      )
      return stored ? version : yield* claim
    })
    return { session, version: yield* claim, chunks: audio.chunks }
  })
)

export const historyHandlers = [showHandler, replayHandler, retranscribe]
