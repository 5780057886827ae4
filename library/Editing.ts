/**
 * Edits of a transcript as events. Each has the next number of the session, of which the log takes one: of two people who
 * edit at once, the second is asked to look again (with `expectRevision`) or gets the number after it.
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type { Change } from "../contract/Events.ts"
import type { SessionId } from "../contract/Session.ts"
import { Bus } from "../kernel/Bus.ts"
import { encode } from "../kernel/Envelope.ts"
import { Retryable, Terminal } from "../kernel/Failure.ts"
import { tidy } from "../kernel/Text.ts"
import { type Current, currentTranscript, type Edit, foldSegments, stacksOf } from "../kernel/Transcripts.ts"
import { modeOf } from "./Erase.ts"

export type Wanted =
  | { readonly segment: number; readonly text: string }
  | { readonly segment: number; readonly speaker: string }
  | { readonly rename: string; readonly to: string }

const revisionOf = ({ edits }: Current): number => edits.at(-1)?.revision ?? 0

const invalid = (message: string) => new Terminal({ code: "input.invalid", message })

const changeOf = (current: Current, wanted: Wanted): Effect.Effect<Change, Terminal> => {
  if ("rename" in wanted) {
    const known = current.transcript.segments.some(({ speaker }) => speaker === wanted.rename)
    if (!known) return Effect.fail(invalid("No segment of this transcript has a speaker of that name."))
    return Effect.succeed({ kind: "rename", before: wanted.rename, after: tidy(wanted.to) })
  }
  const segment = foldSegments(current.original, current.edits)[wanted.segment - 1]
  if (segment === undefined) {
    return Effect.fail(invalid(`There is no segment ${wanted.segment}; this transcript has ${current.original.segments.length}.`))
  }
  return Effect.succeed(
    "text" in wanted
      ? { kind: "text", segment: wanted.segment, before: segment.text, after: tidy(wanted.text) }
      : { kind: "speaker", segment: wanted.segment, before: segment.speaker ?? "", after: tidy(wanted.speaker) }
  )
}

const conflict = new Retryable({ code: "edit.conflict", message: "Somebody else edited this transcript just now." })

/** Publishes the change as the next edit. */
const publish = Effect.fnUntraced(function* (
  session: SessionId,
  by: string,
  decide: (current: Current) => Effect.Effect<Change, Retryable | Terminal>
) {
  const bus = yield* Bus
  const mode = yield* modeOf(session)
  const once = Effect.gen(function* () {
    const current = yield* currentTranscript(mode, session)
    const revision = revisionOf(current) + 1
    const change = yield* decide(current)
    const event: Edit = {
      _tag: "transcript.edited",
      v: 1,
      mode,
      session,
      revision,
      version: current.original.version,
      change,
      by,
      at: new Date(yield* Clock.currentTimeMillis).toISOString()
    }
    const { stored } = yield* bus.publish(
      yield* encode(event, { actor: "library", cause: "", messageId: `edit:${session}:${revision}:${yield* Clock.currentTimeNanos}` })
    )
    return stored ? { session, revision, change } : yield* conflict
  })
  return yield* once.pipe(Effect.retry({ times: 5, while: (failure) => failure.code === "edit.conflict" }))
})

/** @param expected how many edits the caller has seen; absent: whatever there is */
export const editTranscript = (session: SessionId, by: string, wanted: Wanted, expected: number | undefined) =>
  publish(session, by, (current) =>
    expected !== undefined && expected !== revisionOf(current)
      ? Effect.fail(
          new Terminal({ code: "edit.conflict", message: `There are ${revisionOf(current)} edits by now, not ${expected}. Look again.` })
        )
      : changeOf(current, wanted)
  )

const nothing = (what: string) => invalid(`There is no edit to ${what}.`)

export const undoEdit = (session: SessionId, by: string) =>
  publish(session, by, ({ edits }) => {
    const last = stacksOf(edits).standing.at(-1)
    return last === undefined ? Effect.fail(nothing("undo")) : Effect.succeed<Change>({ kind: "undo", revision: last })
  })

export const redoEdit = (session: SessionId, by: string) =>
  publish(session, by, ({ edits }) => {
    const last = stacksOf(edits).undone.at(-1)
    return last === undefined ? Effect.fail(nothing("do again")) : Effect.succeed<Change>({ kind: "redo", revision: last })
  })
