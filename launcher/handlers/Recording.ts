/** Live recording and its devices, as commands. */
import * as Effect from "effect/Effect"
import { Recordings, statusOf, type Wish } from "../../actors/capture/index.ts"
import * as Contract from "../../contract/RecordingCommands.ts"
import type { SessionId } from "../../contract/Session.ts"
import { handler } from "../../kernel/Commands.ts"
import { Terminal } from "../../kernel/Failure.ts"
import { Settings } from "../../kernel/Settings.ts"
import { editList } from "../GuardFile.ts"

export const recordingStatus = Effect.fnUntraced(function* (session?: SessionId) {
  const running = (yield* Recordings).running()
  const recording = session === undefined ? running.at(-1) : running.find((each) => each.session === session)
  return yield* statusOf(session ?? recording?.session, recording)
})

const act = (spec: typeof Contract.RecordingStop, wish: Wish) =>
  handler(spec, ({ session }) =>
    Effect.gen(function* () {
      const recording = yield* (yield* Recordings).find(session)
      yield* recording.ask(wish)
      return yield* recordingStatus(recording.session)
    })
  )

const devices = Effect.map(
  Effect.flatMap(Recordings, (recordings) => recordings.devices),
  (found) => ({ devices: found })
)

const push = Effect.fnUntraced(function* (session: SessionId, pcm: string) {
  const recordings = yield* Recordings
  const bytes = Buffer.from(pcm, "base64")
  const taken = bytes.length === 0 || (yield* recordings.push(session, bytes))
  const progress = yield* recordings.progress(session)
  if (!taken)
    return yield* new Terminal({ code: "recording.state", message: `The recording is ${progress.state}; it did not take this audio.` })
  return progress
})

export const recordingHandlers = [
  handler(Contract.RecordingStart, (request) =>
    Effect.gen(function* () {
      const session = yield* (yield* Recordings).start(request)
      return yield* recordingStatus(session)
    })
  ),
  act(Contract.RecordingPause, "pause"),
  act(Contract.RecordingResume, "resume"),
  act(Contract.RecordingStop, "stop"),
  act(Contract.RecordingCancel, "cancel"),
  act(Contract.RecordingDiscard, "discard"),
  act(Contract.RecordingUndo, "undo"),
  handler(Contract.RecordingStatus, ({ session }) => recordingStatus(session)),
  handler(Contract.RecordingPush, ({ session, pcm }) => push(session, pcm)),
  handler(Contract.DevicesList, () => devices),
  handler(Contract.DevicesAllow, ({ pattern, allow }) =>
    Effect.gen(function* () {
      const { home } = yield* Settings
      yield* editList(home, pattern, allow)
      return yield* devices
    })
  )
]
