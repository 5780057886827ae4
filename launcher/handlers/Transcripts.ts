/** Transcripts: read, edit, summarise. */
import * as Effect from "effect/Effect"
import type { EventOf, Word } from "../../contract/Events.ts"
import { TIMELINE_RATE } from "../../contract/Events.ts"
import {
  CompareVersions,
  EditHistory,
  EditTranscript,
  GetTranscript,
  ListVersions,
  RedoEdit,
  Summarize,
  UndoEdit
} from "../../contract/TranscriptCommands.ts"
import { Bus } from "../../kernel/Bus.ts"
import { handler } from "../../kernel/Commands.ts"
import { encode } from "../../kernel/Envelope.ts"
import { Retryable } from "../../kernel/Failure.ts"
import { currentTranscript as currentVersion } from "../../kernel/folds/Transcripts.ts"
import { history } from "../../kernel/History.ts"
import { Settings } from "../../kernel/Settings.ts"
import { currentTranscript, foldSegments, stacksOf } from "../../kernel/Transcripts.ts"
import { countChanges, wordDiff } from "../../kernel/text/WordDiff.ts"
import { editTranscript, redoEdit, undoEdit } from "../../library/Editing.ts"
import { modeOf } from "../../library/Erase.ts"

const PAGE = 500

const seconds = (samples: number) => Math.round((samples * 1000) / TIMELINE_RATE) / 1000

const timed = ({ word, start, end, probability }: Word) => ({ word, start: seconds(start), end: seconds(end), probability })

const get = handler(GetTranscript, ({ session, from, limit, original: asItWas, words: withWords, version }) =>
  Effect.gen(function* () {
    const { original, edits } = yield* currentTranscript(yield* modeOf(session), session, version)
    const all = asItWas === true ? original.segments : foldSegments(original, edits)
    const first = (from ?? 1) - 1
    return {
      session,
      title: original.title,
      ...(original.ticket === undefined ? {} : { ticket: original.ticket }),
      startedAt: original.startedAt,
      version: original.version,
      revision: edits.at(-1)?.revision ?? 0,
      language: original.language,
      durationSeconds: seconds(original.samples),
      coverage: original.coverage,
      engine: original.engine,
      model: original.model,
      segments: all.slice(first, first + (limit ?? PAGE)).map(({ start, end, text, speaker, words }, index) => {
        const before = original.segments[first + index]
        return {
          number: first + index + 1,
          start: seconds(start),
          end: seconds(end),
          text,
          ...(speaker === undefined ? {} : { speaker }),
          edited: before?.text !== text || before.speaker !== speaker,
          ...(withWords === true ? { words: words.map(timed) } : {})
        }
      }),
      total: all.length
    }
  })
)

const versions = handler(ListVersions, ({ session }) =>
  Effect.gen(function* () {
    const mode = yield* modeOf(session)
    const log = (yield* history(mode, session, ["transcript.completed", "transcript.requested"])).map(({ event }) => event)
    const completed = log.filter((event) => event._tag === "transcript.completed").toSorted((a, b) => a.version - b.version)
    const current = currentVersion(completed)?.version
    const done = yield* Effect.forEach(completed, ({ version, words, coverage }) =>
      Effect.map(currentTranscript(mode, session, version), ({ original: { engine, model } }) => ({
        version,
        engine,
        model,
        words,
        coverage: coverage.ratio,
        current: version === current
      }))
    )
    const pending = log.flatMap((event) =>
      event._tag === "transcript.requested" && !completed.some(({ version }) => version === event.version) ? [event.version] : []
    )
    return { session, versions: done, pending }
  })
)

const compare = handler(CompareVersions, ({ session, from, to }) =>
  Effect.gen(function* () {
    const mode = yield* modeOf(session)
    const [before, after] = [yield* currentTranscript(mode, session, from), yield* currentTranscript(mode, session, to)]
    const changes = wordDiff(before.original.text, after.original.text)
    return { session, changes, ...countChanges(changes) }
  })
)

const edit = handler(EditTranscript, ({ session, edit: wanted, expectRevision }, { name }) =>
  editTranscript(session, name, wanted, expectRevision)
)
const undo = handler(UndoEdit, ({ session }, { name }) => undoEdit(session, name))
const redo = handler(RedoEdit, ({ session }, { name }) => redoEdit(session, name))

const past = handler(EditHistory, ({ session }) =>
  Effect.gen(function* () {
    const { edits } = yield* currentTranscript(yield* modeOf(session), session)
    const { standing } = stacksOf(edits)
    return {
      session,
      edits: edits.map(({ revision, change, by, at }) => ({ revision, change, by, at, stands: standing.includes(revision) }))
    }
  })
)

const summarize = handler(Summarize, ({ session }, { name }) =>
  Effect.gen(function* () {
    const bus = yield* Bus
    const settings = yield* Settings
    const mode = yield* modeOf(session)
    const { original } = yield* currentTranscript(mode, session)
    const once = Effect.gen(function* () {
      const known = yield* history(mode, session, ["reply.requested", "reply.ready"])
      // The unit of the version's number is that of the summary that comes by itself.
      const unit = Math.max(original.version, ...known.map(({ event }) => event.unit)) + 1
      const event: EventOf<"reply.requested"> = {
        _tag: "reply.requested",
        v: 1,
        mode,
        session,
        unit,
        kind: "summary",
        by: name,
        config: settings.session
      }
      const { stored } = yield* bus.publish(yield* encode(event, { actor: "library", cause: "", messageId: `summary:${session}:${unit}` }))
      return stored ? { session, unit } : yield* new Retryable({ code: "bus.rejected", message: "Somebody else asked just now." })
    })
    return yield* once.pipe(Effect.retry({ times: 3, while: ({ code }) => code === "bus.rejected" }))
  })
)

export const transcriptHandlers = [get, edit, undo, redo, past, summarize, versions, compare]
