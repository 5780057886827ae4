/** Who speaks in a call: the finding of the diarizer with the names that people gave. */
import * as Effect from "effect/Effect"
import { TIMELINE_RATE } from "../../contract/Events.ts"
import type { SessionId } from "../../contract/Session.ts"
import { ListSpeakers, RenameSpeaker, UndoRename } from "../../contract/SpeakerCommands.ts"
import { handler } from "../../kernel/Commands.ts"
import { Terminal } from "../../kernel/Failure.ts"
import { nextRevision, speakerNames, undoable } from "../../kernel/folds/Speakers.ts"
import { history } from "../../kernel/History.ts"
import { changing, put } from "../jobs/Queue.ts"

const read = Effect.fnUntraced(function* (session: SessionId) {
  const log = yield* history("call", session, ["session.opened", "transcript.diarized", "speaker.renamed"])
  if (!log.some(({ event }) => event._tag === "session.opened"))
    return yield* new Terminal({ code: "session.unknown", message: `There is no call ${session}.` })
  return {
    found: log.flatMap(({ event }) => (event._tag === "transcript.diarized" ? [event] : [])).at(-1),
    renames: log.flatMap(({ event }) => (event._tag === "speaker.renamed" ? [event] : []))
  }
})

const speakers = Effect.fnUntraced(function* (session: SessionId) {
  const { found, renames } = yield* read(session)
  const names = speakerNames(renames)
  return {
    session,
    ...(found === undefined ? {} : { method: found.method }),
    speakers: (found?.speakers ?? []).map(({ id, samples }) => ({ id, name: names.get(id) ?? id, seconds: samples / TIMELINE_RATE })),
    segments: found?.segments ?? []
  }
})

const list = handler(ListSpeakers, ({ session }) => speakers(session))

const rename = handler(RenameSpeaker, ({ session, speaker, name }) =>
  Effect.gen(function* () {
    const { found, renames } = yield* read(session)
    if (found?.speakers.some(({ id }) => id === speaker) !== true)
      return yield* new Terminal({ code: "input.invalid", message: `Call ${session} has no speaker ${speaker}.` })
    yield* put({ _tag: "speaker.renamed", v: 1, mode: "call", session, revision: nextRevision(renames), speaker, name })
    return yield* speakers(session)
  }).pipe(changing)
)

const undo = handler(UndoRename, ({ session }) =>
  Effect.gen(function* () {
    const { renames } = yield* read(session)
    const last = undoable(renames)
    if (last === undefined)
      return yield* new Terminal({ code: "input.invalid", message: `No rename of call ${session} can be taken back.` })
    const { speaker, name, revision: undoes } = last
    yield* put({ _tag: "speaker.renamed", v: 1, mode: "call", session, revision: nextRevision(renames), speaker, name, undoes })
    return yield* speakers(session)
  }).pipe(changing)
)

export const speakerHandlers = [list, rename, undo]
