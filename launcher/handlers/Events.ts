/** The log itself, read by place or by session. */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import { GetEvent, type LoggedEvent, SessionEvents } from "../../contract/EventCommands.ts"
import { eventStream, HEADERS, sessionFilters } from "../../contract/Subjects.ts"
import { Bus, type Recorded } from "../../kernel/Bus.ts"
import { handler } from "../../kernel/Commands.ts"
import { Terminal } from "../../kernel/Failure.ts"
import { modeOf } from "../../library/Erase.ts"

type EventStream = LoggedEvent["stream"]

const PAGE = 500
/** Bytes of bodies in one answer: a message on the bus holds 1 MiB. */
const MOST_BYTES = 700_000

const isEventStream = (name: string): name is EventStream => name === "CALLS" || name === "ASSISTANT" || name === "HOST"

const logged = (stream: EventStream, { sequence, subject, time, headers, data }: Recorded): LoggedEvent => ({
  stream,
  sequence,
  subject,
  time,
  actor: headers[HEADERS.actor] ?? "",
  cause: headers[HEADERS.cause] ?? "",
  event: JSON.parse(new TextDecoder().decode(data)) as unknown
})

const get = handler(GetEvent, ({ stream, sequence }) =>
  Effect.gen(function* () {
    const bus = yield* Bus
    const found = yield* bus.range(stream, ">", sequence, sequence).pipe(Stream.runHead)
    return Option.isSome(found)
      ? logged(stream, found.value)
      : yield* new Terminal({ code: "input.missing", message: `The log has no event ${stream}:${sequence} (any more).` })
  })
)

const ofSession = handler(SessionEvents, ({ session, from = 1, limit = PAGE }) =>
  Effect.gen(function* () {
    const bus = yield* Bus
    const mode = yield* modeOf(session)
    const log = bus.read(eventStream(mode), { filters: sessionFilters(mode, session), from })
    const found = yield* Stream.runCollect(log.pipe(Stream.take(limit + 1)))
    let bytes = 0
    const fitting = found.slice(0, limit).filter(({ data }, index) => {
      bytes += data.length + 300
      return index === 0 || bytes <= MOST_BYTES
    })
    const next = found[fitting.length]?.sequence
    return {
      events: fitting.flatMap((each) => (isEventStream(each.stream) ? [logged(each.stream, each)] : [])),
      ...(next === undefined ? {} : { next })
    }
  })
)

export const eventHandlers = [get, ofSession]
