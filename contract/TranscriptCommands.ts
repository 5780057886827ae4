/** Transcripts: read, edit with undo, summarise, export. */
import * as Schema from "effect/Schema"
import { command } from "./Command.ts"
import { BlobRef, Change, Coverage } from "./Events.ts"
import { SessionId } from "./Session.ts"

const Number = Schema.Int.check(Schema.isGreaterThanOrEqualTo(1))
const Count = Schema.Int.check(Schema.isGreaterThanOrEqualTo(0))

export const GetTranscript = command("transcripts.get", {
  request: Schema.Struct({
    session: SessionId,
    /** First segment of the page, from 1. */
    from: Schema.optionalKey(Number),
    limit: Schema.optionalKey(Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 1_000 }))),
    /** As it was transcribed, without the edits. */
    original: Schema.optionalKey(Schema.Boolean),
    /** With the words of each segment and their times; at most 300 segments then fit into an answer. */
    words: Schema.optionalKey(Schema.Boolean),
    /** Another version than the one that counts. */
    version: Schema.optionalKey(Number)
  }),
  reply: Schema.Struct({
    session: SessionId,
    title: Schema.String,
    ticket: Schema.optionalKey(Schema.String),
    startedAt: Schema.String,
    version: Number,
    /** Edits so far; what `transcripts.edit` expects. */
    revision: Count,
    language: Schema.String,
    durationSeconds: Schema.Finite,
    coverage: Coverage,
    engine: Schema.String,
    model: Schema.String,
    segments: Schema.Array(
      Schema.Struct({
        number: Number,
        /** Seconds. */
        start: Schema.Finite,
        end: Schema.Finite,
        text: Schema.String,
        speaker: Schema.optionalKey(Schema.String),
        edited: Schema.Boolean,
        /** Absent unless asked for; empty where the text was edited. */
        words: Schema.optionalKey(
          Schema.Array(Schema.Struct({ word: Schema.String, start: Schema.Finite, end: Schema.Finite, probability: Schema.Finite }))
        )
      })
    ),
    /** Segments there are in all. */
    total: Count
  }),
  changes: false,
  means: "The transcript of a call as it stands now, 500 segments at a time, with its words and their times if wanted."
})

export const ListVersions = command("transcripts.versions", {
  request: Schema.Struct({ session: SessionId }),
  reply: Schema.Struct({
    session: SessionId,
    versions: Schema.Array(
      Schema.Struct({
        version: Number,
        engine: Schema.String,
        model: Schema.String,
        words: Count,
        /** Transcribed / detected speech, 0..1. */
        coverage: Schema.Finite,
        /** It is the call's text now. */
        current: Schema.Boolean
      })
    ),
    /** Versions that were asked for and are not finished. */
    pending: Schema.Array(Number)
  }),
  changes: false,
  means: "The versions of a call's transcript, the oldest first, and those that are being made."
})

export const CompareVersions = command("transcripts.compare", {
  request: Schema.Struct({ session: SessionId, from: Number, to: Number }),
  reply: Schema.Struct({
    session: SessionId,
    /** Words, in order; `same` ones too. */
    changes: Schema.Array(Schema.Struct({ kind: Schema.Literals(["same", "added", "removed"]), text: Schema.String })),
    same: Count,
    added: Count,
    removed: Count
  }),
  changes: false,
  means: "Two versions of a transcript word by word, as they were transcribed."
})

const Edited = Schema.Struct({ session: SessionId, revision: Number, change: Change })

export const EditTranscript = command("transcripts.edit", {
  request: Schema.Struct({
    session: SessionId,
    edit: Schema.Union([
      Schema.Struct({ segment: Number, text: Schema.String.check(Schema.isMaxLength(5_000)) }),
      /** An empty name: unknown. */
      Schema.Struct({ segment: Number, speaker: Schema.String.check(Schema.isMaxLength(100)) }),
      Schema.Struct({ rename: Schema.NonEmptyString, to: Schema.NonEmptyString.check(Schema.isMaxLength(100)) })
    ]),
    /** Refuse when there are more edits than this by now. */
    expectRevision: Schema.optionalKey(Count)
  }),
  reply: Edited,
  changes: true,
  means: "Changes the text or the speaker of a segment, or the name of a speaker everywhere; the original stays."
})

export const UndoEdit = command("transcripts.undo", {
  request: Schema.Struct({ session: SessionId }),
  reply: Edited,
  changes: true,
  means: "Takes back the last edit that stands."
})

export const RedoEdit = command("transcripts.redo", {
  request: Schema.Struct({ session: SessionId }),
  reply: Edited,
  changes: true,
  means: "Does again what was undone last, unless there was another edit since."
})

export const EditHistory = command("transcripts.history", {
  request: Schema.Struct({ session: SessionId }),
  reply: Schema.Struct({
    session: SessionId,
    edits: Schema.Array(Schema.Struct({ revision: Number, change: Change, by: Schema.String, at: Schema.String, stands: Schema.Boolean }))
  }),
  changes: false,
  means: "Every edit of a transcript: who, when, before and after, and whether it stands."
})

export const Summarize = command("transcripts.summarize", {
  request: Schema.Struct({ session: SessionId }),
  reply: Schema.Struct({
    session: SessionId,
    /** `reply.ready` of this unit (or `error.raised`) is the answer. */
    unit: Number
  }),
  changes: true,
  means: "Asks the reasoner for a summary, action items and keywords; they come as an event, marked as generated."
})

/** How lines of subtitles are made. */
export const SubtitleOptions = Schema.Struct({
  /** Characters of a line; 42 by default. */
  lineLength: Schema.optionalKey(Schema.Int.check(Schema.isBetween({ minimum: 10, maximum: 200 }))),
  /** Lines of a subtitle; 2 by default. */
  lines: Schema.optionalKey(Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 6 }))),
  /** Seconds a subtitle stands at least, where the next one leaves room, and at most (7 by default). */
  minSeconds: Schema.optionalKey(Schema.Finite.check(Schema.isBetween({ minimum: 0, maximum: 30 }))),
  maxSeconds: Schema.optionalKey(Schema.Finite.check(Schema.isBetween({ minimum: 0.5, maximum: 60 }))),
  /** Characters per second a reader can follow: a denser subtitle stands longer where there is room. */
  charactersPerSecond: Schema.optionalKey(Schema.Finite.check(Schema.isBetween({ minimum: 1, maximum: 100 })))
})
export type SubtitleOptions = typeof SubtitleOptions.Type

export const MakeExport = command("exports.make", {
  request: Schema.Struct({
    session: SessionId,
    format: Schema.NonEmptyString,
    subtitles: Schema.optionalKey(SubtitleOptions),
    /** As it was transcribed, without the edits. */
    original: Schema.optionalKey(Schema.Boolean)
  }),
  reply: Schema.Struct({
    session: SessionId,
    format: Schema.String,
    mediaType: Schema.String,
    /** A good name for the file. */
    name: Schema.String,
    /** The bytes, in the blob store of the session. */
    blob: BlobRef
  }),
  changes: true,
  means: "Writes the transcript as it stands now in a format; the bytes are a blob of the session."
})

export const ListFormats = command("exports.formats", {
  request: Schema.Struct({}),
  reply: Schema.Struct({
    formats: Schema.Array(
      Schema.Struct({
        format: Schema.String,
        extension: Schema.String,
        mediaType: Schema.String,
        means: Schema.String,
        /** Of the user's own folder. */
        own: Schema.Boolean
      })
    )
  }),
  changes: false,
  means: "The formats a transcript can be exported in, the user's own included."
})
