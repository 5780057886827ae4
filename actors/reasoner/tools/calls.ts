/** What was said in recorded calls. Off unless `calls` is among the session's tools: it is private. */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { SessionId } from "../../../contract/Session.ts"
import { SearchSessions } from "../../../contract/SessionCommands.ts"
import { GetTranscript } from "../../../contract/TranscriptCommands.ts"
import { define } from "./define.ts"

/** Hits of one search, and characters of one transcript: what a small model can still read. */
const HITS = 8
const CHARACTERS = 6_000

const at = (seconds: number) => `${Math.floor(seconds / 60)}:${String(Math.floor(seconds % 60)).padStart(2, "0")}`

export const searchCalls = define({
  name: "search_calls",
  description: "Full-text search over everything that was said in the user's recorded calls.",
  input: Schema.Struct({ query: Schema.NonEmptyString.check(Schema.isMaxLength(500)) }),
  repeatable: true,
  run: ({ query }, { ask }) =>
    Effect.map(ask(SearchSessions, { query, limit: HITS }), ({ hits }) =>
      hits.length === 0
        ? "Nothing was found."
        : hits
            .map(
              ({ session, title, startedAt, start, text }) => `[${session}] ${title}, ${startedAt.slice(0, 10)}, at ${at(start)}: ${text}`
            )
            .join("\n")
    )
})

export const readTranscript = define({
  name: "read_transcript",
  description: "The transcript of one call, by the id that search_calls gave; `from` goes on in a long one.",
  input: Schema.Struct({
    session: SessionId,
    /** Seconds from the start. */
    from: Schema.optionalKey(Schema.Finite.check(Schema.isGreaterThanOrEqualTo(0)))
  }),
  repeatable: true,
  run: ({ session, from = 0 }, { ask }) =>
    Effect.map(ask(GetTranscript, { session }), ({ segments, title }) => {
      const lines = segments
        .filter((segment) => segment.end > from)
        .map(({ start, speaker, text }) => `${at(start)} ${speaker === undefined ? "" : `${speaker}: `}${text}`)
      const text = lines.join("\n")
      return `${title}\n${text.slice(0, CHARACTERS)}${text.length > CHARACTERS ? "\n(there is more)" : ""}`
    })
})
