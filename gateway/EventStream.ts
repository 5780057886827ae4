/**
 * `GET /api/events?subjects=text.>,bundle.>`: events as they come, as server-sent events. The id of each is a cursor over
 * all streams, so a client that reconnects with `Last-Event-ID` (browsers do) misses nothing; `from` begins there at once.
 */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as HttpRouter from "effect/http/HttpRouter"
import * as HttpServerRequest from "effect/http/HttpServerRequest"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import { Bus } from "../kernel/Bus.ts"
import { Terminal } from "../kernel/Failure.ts"
import { Settings } from "../kernel/Settings.ts"
import { demand } from "./Access.ts"
import { clientOf, hold } from "./limits/Usage.ts"
import { EVENT_STREAMS, SubjectFilter } from "./Protocol.ts"
import { answered } from "./Rest.ts"
import { type Cursor, type EventStream, planFor, tail, type TailedEvent } from "./Tail.ts"

const MOST_FILTERS = 64
/** Proxies close what is silent. */
const KEEP_ALIVE = Duration.seconds(15)

const isFilter = Schema.is(SubjectFilter)
const isStream = (name: string): name is EventStream => EVENT_STREAMS.some((known) => known === name)
const invalid = (message: string) => new Terminal({ code: "input.invalid", message })

/** `CALLS:12,HOST:3`: the last event seen of each stream, as the next one wanted. */
const parseCursor = Effect.fnUntraced(function* (text: string) {
  const cursor: Cursor = {}
  for (const part of text.split(",").filter((each) => each !== "")) {
    const [, stream = "", sequence = ""] = /^([A-Z]+):(\d{1,15})$/.exec(part) ?? []
    if (!isStream(stream)) return yield* invalid(`"${part.slice(0, 40)}" is not a place in the log, such as CALLS:12.`)
    cursor[stream] = Number(sequence) + 1
  }
  return cursor
})

const cursorText = (seen: ReadonlyMap<EventStream, number>) => [...seen].map(([stream, sequence]) => `${stream}:${sequence}`).join(",")

const first = (value: string | ReadonlyArray<string> | undefined): string => (typeof value === "string" ? value : (value?.[0] ?? ""))

const events = Effect.fnUntraced(function* (request: HttpServerRequest.HttpServerRequest) {
  yield* demand("read")
  const bus = yield* Bus
  const query = yield* HttpServerRequest.ParsedSearchParams
  const subjects = first(query["subjects"] ?? query["subject"] ?? ">").split(",")
  if (subjects.length > MOST_FILTERS || !subjects.every(isFilter))
    return yield* invalid(
      `"subjects" is a list of at most ${MOST_FILTERS} NATS filters with commas between, such as text.>,bundle.ready.call.*.>`
    )
  const plans = yield* planFor(subjects)
  const cursor = yield* parseCursor(request.headers["last-event-id"] ?? first(query["from"]))
  const seen = new Map<EventStream, number>()
  for (const stream of EVENT_STREAMS) {
    const next = cursor[stream]
    if (next !== undefined) seen.set(stream, next - 1)
  }
  const written = Stream.map((event: TailedEvent) => {
    seen.set(event.stream, event.sequence)
    return `id: ${cursorText(seen)}\ndata: ${JSON.stringify(event)}\n\n`
  })
  const alive = Stream.tick(KEEP_ALIVE).pipe(Stream.map(() => ": \n\n"))
  const { socketsPerClient: most } = (yield* Settings.current).gateway.limits
  const place = hold("sockets", yield* clientOf(request), most, `${most} sockets are open already; close one.`)
  // Refused with a status where possible; the place itself is held for as long as the stream goes on.
  yield* Effect.scoped(place)
  // Said when it is settled where the events begin: what a client does after it, it sees.
  const body = Stream.unwrap(
    Effect.map(tail(bus, subjects, plans, cursor), (events) =>
      Stream.concat(Stream.make(": connected\n\n"), Stream.merge(written(events), alive))
    )
  )
  return HttpServerResponse.stream(Stream.unwrap(Effect.as(Effect.orDie(place), body)).pipe(Stream.encodeText), {
    contentType: "text/event-stream",
    headers: { "cache-control": "no-store", "x-accel-buffering": "no" }
  })
})

export const eventStreamRoute = HttpRouter.use((router) =>
  Effect.flatMap(Effect.context<Bus | Settings>(), (services) =>
    router.add("GET", "/api/events", (request) => answered(Effect.provide(events(request), services)))
  )
)
