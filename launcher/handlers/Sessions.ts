/** Sessions: list, look at, search, delete, keep. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type { EventOf } from "../../contract/Events.ts"
import {
  DeleteSession,
  GetSession,
  ListSessions,
  PinSession,
  RebuildIndex,
  RunRetention,
  SearchSessions
} from "../../contract/SessionCommands.ts"
import { Bus } from "../../kernel/Bus.ts"
import { handler } from "../../kernel/Commands.ts"
import { encode } from "../../kernel/Envelope.ts"
import { Terminal } from "../../kernel/Failure.ts"
import { history } from "../../kernel/History.ts"
import { TIMELINE_RATE } from "../../contract/Events.ts"
import { eraseSession, modeOf } from "../../library/Erase.ts"
import { Library } from "../../library/Library.ts"
import { isEmpty, parseQuery } from "../../library/Query.ts"
import { applyRetention, expiredNow } from "../Housekeeping.ts"

const PAGE = 50

const list = handler(ListSessions, ({ limit, ...rest }) =>
  Effect.gen(function* () {
    const library = yield* Library
    return { sessions: yield* library.list({ limit: limit ?? PAGE, ...rest }) }
  })
)

const get = handler(GetSession, ({ session }) =>
  Effect.gen(function* () {
    const library = yield* Library
    const summary = yield* library.get(session)
    const log = yield* history(summary.mode, session, ["transcript.completed", "keyword.spotted", "reply.ready"])
    const events = log.map(({ event }) => event)
    const completed = events.findLast((event) => event._tag === "transcript.completed")
    return {
      ...summary,
      gaps: completed?._tag === "transcript.completed" ? completed.coverage.gaps : [],
      keywords: events.flatMap((event) =>
        event._tag === "keyword.spotted" ? [{ keyword: event.keyword, start: event.start / TIMELINE_RATE, text: event.text }] : []
      ),
      summaries: events.flatMap((event) =>
        event._tag === "reply.ready" && event.summary !== undefined
          ? [{ unit: event.unit, generated: true as const, engine: event.engine, model: event.model, ...event.summary }]
          : []
      )
    }
  })
)

const search = handler(SearchSessions, ({ query, limit }) =>
  Effect.gen(function* () {
    if (isEmpty(parseQuery(query))) {
      return yield* new Terminal({ code: "input.invalid", message: "The query holds no word to search for." })
    }
    const library = yield* Library
    return { hits: yield* library.search(query, limit ?? PAGE) }
  })
)

const remove = handler(DeleteSession, ({ session, force }, { name }) =>
  eraseSession(session, { by: name, reason: "user", force: force ?? false })
)

const pin = handler(PinSession, ({ session, pinned }, { name }) =>
  Effect.gen(function* () {
    const bus = yield* Bus
    const mode = yield* modeOf(session)
    const once = Effect.gen(function* () {
      const past = yield* history(mode, session, ["session.pinned"])
      const revision = Math.max(0, ...past.map(({ event }) => event.revision)) + 1
      const now = yield* Clock.currentTimeMillis
      const event: EventOf<"session.pinned"> = {
        _tag: "session.pinned",
        v: 1,
        mode,
        session,
        revision,
        pinned,
        by: name,
        at: new Date(now).toISOString()
      }
      const messageId = `pin:${session}:${revision}:${pinned}:${now}`
      return (yield* bus.publish(yield* encode(event, { actor: "library", cause: "", messageId }))).stored
    })
    yield* once.pipe(Effect.repeat({ until: (stored) => stored }))
    return { session, pinned }
  })
)

const retention = handler(RunRetention, ({ apply }) =>
  Effect.map(apply ? applyRetention : expiredNow, (gone) => ({
    applied: apply,
    sessions: gone.map(({ session: { session, title, bytes }, rule }) => ({ session, title, bytes, rule }))
  }))
)

const rebuild = handler(RebuildIndex, () => Effect.flatMap(Library, (library) => library.rebuild))

export const sessionHandlers = [list, get, search, remove, pin, retention, rebuild]
