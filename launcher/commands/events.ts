/** `voxbus events`: what is on the log, as it is or as it comes. */
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import { NOUNS, type StreamName } from "../../contract/Subjects.ts"
import { Bus, type Recorded } from "../../kernel/Bus.ts"
import { HEADERS } from "../../contract/Subjects.ts"
import { reach } from "../Access.ts"
import { jsonFlag, printJson, printLine } from "../Output.ts"

const STREAMS: ReadonlyArray<StreamName> = ["CALLS", "ASSISTANT"]

/** A subject filter that all of a stream's subjects may be compared with; `>` alone is everything. */
const filtersFor = (subject: string, mode: string): ReadonlyArray<string> =>
  subject === ">" ? NOUNS.map((noun) => `${noun}.*.${mode}.>`) : [subject]

const body = ({ data }: Recorded): unknown => JSON.parse(new TextDecoder().decode(data))

const line = (record: Recorded) =>
  `${new Date(record.time).toISOString()}  ${record.stream}:${record.sequence}  ${record.subject}  ${record.data.length} B`

const json = (record: Recorded) => ({
  stream: record.stream,
  sequence: record.sequence,
  time: new Date(record.time).toISOString(),
  subject: record.subject,
  actor: record.headers[HEADERS.actor] ?? "",
  cause: record.headers[HEADERS.cause] ?? "",
  event: body(record)
})

export const events = Command.make(
  "events",
  {
    subject: Flag.String("subject").pipe(
      Flag.withAlias("s"),
      Flag.withDescription("NATS subject filter, such as 'text.>' or 'bundle.ready.call.*.>'"),
      Flag.withDefault(">")
    ),
    follow: Flag.Boolean("follow").pipe(Flag.withAlias("f"), Flag.withDescription("Go on with what comes"), Flag.withDefault(false)),
    json: jsonFlag
  },
  Effect.fn(function* (options) {
    const services = yield* reach([])
    const print = (record: Recorded) => (options.json ? printJson(json(record)) : printLine(line(record)))
    const show = Effect.gen(function* () {
      const bus = yield* Bus
      const each = (stream: StreamName) => {
        const filters = filtersFor(options.subject, stream === "CALLS" ? "call" : "assistant")
        return options.follow ? bus.tail(stream, { filters, from: 1 }) : bus.read(stream, { filters })
      }
      yield* Stream.mergeAll(STREAMS.map(each), { concurrency: "unbounded" }).pipe(Stream.runForEach(print))
    })
    yield* show.pipe(Effect.provide(services))
  }, Effect.scoped)
).pipe(
  Command.withDescription("Print events of the log"),
  Command.withExamples([
    { command: "voxbus events --follow", description: "Watch everything that happens" },
    { command: "voxbus events --subject 'text.transcribed.>' --json", description: "All transcribed chunks" }
  ])
)
