/** `voxbus search QUERY`: where something was said. */
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Effect from "effect/Effect"
import { SearchSessions } from "../../contract/SessionCommands.ts"
import { invoke } from "../Invoke.ts"
import { clock, note, printJson, printLine } from "../Output.ts"

export const search = Command.make(
  "search",
  {
    query: Argument.String("query").pipe(
      Argument.withDescription('Words, "a phrase", prefix*, -without, speaker:NAME, ticket:ID, title:WORD, after:DATE, before:DATE'),
      Argument.variadic({ min: 1 })
    ),
    limit: Flag.Int("limit").pipe(Flag.withAlias("n"), Flag.withDescription("At most so many hits, 1 to 500"), Flag.withDefault(50)),
    json: Flag.Boolean("json").pipe(Flag.withDescription("Print one JSON array of hits"), Flag.withDefault(false))
  },
  Effect.fn(function* ({ query, limit, json }) {
    const { hits } = yield* invoke(SearchSessions, { query: query.join(" "), limit })
    if (json) return yield* printJson(hits)
    if (hits.length === 0) return yield* note("Nothing was found.")
    yield* printLine(
      hits
        .map(
          ({ session, start, speaker, snippet, title, startedAt }) =>
            `${session}  ${clock(start)}  ${speaker === undefined ? "" : `${speaker}: `}${snippet}\n    ${title}, ${startedAt.slice(0, 10)}`
        )
        .join("\n")
    )
  }, Effect.scoped)
).pipe(
  Command.withDescription("Full-text search over everything that was said, with the time of each hit"),
  Command.withExamples([
    { command: "voxbus search printer", description: "Case and accents do not matter" },
    {
      command: `voxbus search '"second floor" tech* ticket:T-42' --json`,
      description: "A phrase, a prefix, a filter; [{session, start, text, ...}]"
    }
  ])
)
