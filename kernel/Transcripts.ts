/**
 * The transcript of a call as it stands now: the version that counts, with the edits of people folded over it. The stored
 * original is never touched; an undone edit is an edit that does not stand.
 */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { type Change, type EventOf, type EventTag, type Segment, Transcript } from "../contract/Events.ts"
import type { Mode, SessionId } from "../contract/Session.ts"
import type { Logged } from "./Actor.ts"
import { Blobs } from "./Blobs.ts"
import type { Bus } from "./Bus.ts"
import { type Failure, type Retryable, Terminal } from "./Failure.ts"
import { speakerNames } from "./folds/Speakers.ts"
import { currentTranscript as currentVersion } from "./folds/Transcripts.ts"
import { history } from "./History.ts"
import { joinTexts } from "./Text.ts"

export type Edit = EventOf<"transcript.edited">

const decodeTranscript = Schema.decodeUnknownEffect(Schema.fromJsonString(Transcript))

const inOrder = (edits: ReadonlyArray<Edit>): ReadonlyArray<Edit> => edits.toSorted((a, b) => a.revision - b.revision)

const isContent = (change: Change): change is Exclude<Change, { readonly kind: "undo" | "redo" }> =>
  change.kind !== "undo" && change.kind !== "redo"

/** What undo and redo act on: revisions of edits that stand (last first to be undone) and that were undone. */
export interface Stacks {
  readonly standing: ReadonlyArray<number>
  readonly undone: ReadonlyArray<number>
}

/** A new edit forgets what could have been done again, as in every editor. */
export const stacksOf = (edits: ReadonlyArray<Edit>): Stacks =>
  inOrder(edits).reduce<Stacks>(
    ({ standing, undone }, { revision, change }) => {
      if (isContent(change)) return { standing: [...standing, revision], undone: [] }
      const without = (of: ReadonlyArray<number>) => of.filter((each) => each !== change.revision)
      return change.kind === "undo"
        ? { standing: without(standing), undone: [...undone, change.revision] }
        : { standing: [...standing, change.revision], undone: without(undone) }
    },
    { standing: [], undone: [] }
  )

const withSpeaker = (segment: Segment, name: string): Segment => {
  const { speaker: before, ...rest } = segment
  if (name === (before ?? "")) return segment
  return name === "" ? rest : { ...rest, speaker: name }
}

const applied = (segment: Segment, number: number, change: Change): Segment => {
  switch (change.kind) {
    case "text":
      // The times of the old words say nothing about the new ones.
      return change.segment === number ? { ...segment, text: change.after, words: [] } : segment
    case "speaker":
      return change.segment === number ? withSpeaker(segment, change.after) : segment
    case "rename":
      return segment.speaker === change.before ? withSpeaker(segment, change.after) : segment
    default:
      return segment
  }
}

/**
 * All segments of the original with the edits that stand, in their order; an emptied one has no text. Text and speakers
 * of single segments belong to the version that was edited; the name of a speaker goes on to later versions.
 */
export const foldSegments = (original: Transcript, edits: ReadonlyArray<Edit>): ReadonlyArray<Segment> => {
  const { standing } = stacksOf(edits)
  const changes = inOrder(edits).filter(
    ({ revision, version, change }) => standing.includes(revision) && (change.kind === "rename" || version === original.version)
  )
  return changes.length === 0
    ? original.segments
    : original.segments.map((segment, index) => changes.reduce((each, { change }) => applied(each, index + 1, change), segment))
}

/** The transcript as it reads with the edits that stand; emptied segments are left out. */
export const foldEdits = (original: Transcript, edits: ReadonlyArray<Edit>): Transcript => {
  const all = foldSegments(original, edits)
  if (all === original.segments) return original
  const segments = all.filter(({ text }) => text !== "")
  return { ...original, segments, text: joinTexts(segments.map(({ text }) => text)) }
}

export interface Current {
  /** With the edits. */
  readonly transcript: Transcript
  /** As the machines made it: the stored one, with the speakers that were told apart later. */
  readonly original: Transcript
  readonly edits: ReadonlyArray<Edit>
}

/** The kinds of events `transcriptFrom` wants. */
export const TRANSCRIPT_EVENTS = [
  "transcript.completed",
  "transcript.diarized",
  "speaker.renamed",
  "transcript.edited"
] as const satisfies ReadonlyArray<EventTag>

type Entry = Logged<EventOf<(typeof TRANSCRIPT_EVENTS)[number]>>

const ofKind = <T extends EventTag>(entries: ReadonlyArray<Logged>, tag: T): ReadonlyArray<EventOf<T>> =>
  entries.map(({ event }) => event).filter((event): event is EventOf<T> => event._tag === tag)

/** With who says each segment, under the names that people gave. */
const withSpeakers = (
  stored: Transcript,
  found: EventOf<"transcript.diarized"> | undefined,
  names: ReadonlyMap<string, string>
): Transcript =>
  found === undefined || found.segments.length !== stored.segments.length
    ? stored
    : {
        ...stored,
        segments: stored.segments.map((segment, i) => {
          const id = found.segments[i] ?? ""
          return segment.speaker !== undefined || id === "" ? segment : { ...segment, speaker: names.get(id) ?? id }
        })
      }

/**
 * From the events of a session; `undefined` when it has no transcript yet, or not that version.
 *
 * @param wanted a version instead of the one that counts
 */
export const transcriptFrom = Effect.fnUntraced(function* (
  entries: ReadonlyArray<Entry>,
  wanted?: number
): Effect.fn.Return<Current | undefined, Failure, Blobs> {
  const blobs = yield* Blobs
  const completed = ofKind(entries, "transcript.completed")
  const version = wanted === undefined ? currentVersion(completed) : completed.find((each) => each.version === wanted)
  if (version === undefined) return undefined
  const bytes = yield* blobs.get(version, version.transcript)
  const stored = yield* decodeTranscript(new TextDecoder().decode(bytes)).pipe(
    Effect.mapError((cause) => new Terminal({ code: "event.invalid", message: "The stored transcript does not match its schema.", cause }))
  )
  const found = ofKind(entries, "transcript.diarized").find((each) => each.version === stored.version)
  const original = withSpeakers(stored, found, speakerNames(ofKind(entries, "speaker.renamed")))
  const edits = inOrder(ofKind(entries, "transcript.edited"))
  return { transcript: foldEdits(original, edits), original, edits }
})

/** The transcript of a session; fails with `transcript.missing` when there is none. */
export const currentTranscript = Effect.fnUntraced(function* (
  mode: Mode,
  session: SessionId,
  version?: number
): Effect.fn.Return<Current, Failure | Retryable, Blobs | Bus> {
  const current = yield* transcriptFrom(yield* history(mode, session, TRANSCRIPT_EVENTS), version)
  if (current === undefined) {
    const what = version === undefined ? "transcript yet" : `version ${version} of its transcript`
    return yield* new Terminal({ code: "transcript.missing", message: `Session ${session} has no ${what}.` })
  }
  return current
})
