/** `voxbus calls`: calls that other programs are in, and whether to record them. `--watch` asks when one begins. */
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Prompt from "effect/cli/Prompt"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import { DetectionAnswer, type DetectionReply, DetectionStatus } from "../../contract/DetectionCommands.ts"
import { Bus } from "../../kernel/Bus.ts"
import { decode } from "../../kernel/Envelope.ts"
import { type Ask, asker } from "../Invoke.ts"
import { clock, jsonFlag, note, printJson, printLine } from "../Output.ts"

const HOW = "Calls are not watched for. `npx voxbus config set recording.detect ask` (or notify), then restart Voxbus."

const listed = ({ calls }: DetectionReply) =>
  calls.length === 0
    ? "No program uses a microphone."
    : calls
        .map(({ call, application, seconds, asks, recordedAs }) => {
          const recorded = recordedAs === undefined ? "" : `  recorded as ${recordedAs}`
          const question = asks ? `\n    Record it? npx voxbus calls --record ${call}, or --ignore ${call}` : ""
          return `${call}  ${clock(seconds)}  ${application}${recorded}${question}`
        })
        .join("\n")

/** Asks where there is somebody to answer. */
const consent = Effect.fnUntraced(function* (ask: Ask, call: string, application: string) {
  if (!process.stdin.isTTY) return
  const record = yield* Prompt.run(Prompt.Confirm({ message: `Record the call in ${application} until it ends?`, initial: false }))
  yield* ask(DetectionAnswer, { call, record }).pipe(
    Effect.andThen(note(record ? "It is recorded; `npx voxbus record --do stop` ends it before." : "It is not recorded.")),
    // It has ended meanwhile, or the guard does not allow the device.
    Effect.catch((failure) => note(failure.message))
  )
})

/** Says what begins and ends, from now on. */
const watch = (bus: (typeof Bus)["Service"], ask: Ask, json: boolean) =>
  bus.tail("HOST", { filters: ["call.detected.host.>"], from: "new" }).pipe(
    Stream.mapEffect(decode),
    Stream.runForEach(
      Effect.fnUntraced(function* (event) {
        if (event._tag !== "call.detected") return
        const { application, started, call, asks, seconds } = event
        if (json) return yield* printJson(event)
        if (!started) return yield* printLine(`${application} has ended (${clock(seconds ?? 0)}).`)
        yield* printLine(`${application} uses the microphone.`)
        if (asks === true && call !== undefined) yield* consent(ask, call, application)
      })
    )
  )

export const calls = Command.make(
  "calls",
  {
    record: Flag.String("record").pipe(Flag.withDescription("Record this call until it ends"), Flag.optional),
    ignore: Flag.String("ignore").pipe(Flag.withDescription("Leave this call alone"), Flag.optional),
    watch: Flag.Boolean("watch").pipe(Flag.withDescription("Go on, and ask about each call when it begins"), Flag.withDefault(false)),
    json: jsonFlag
  },
  Effect.fn(function* ({ record, ignore, json, ...flags }) {
    const { ask, services } = yield* asker()
    const answer = Option.orElse(record, () => ignore)
    const reply = yield* Option.isSome(answer)
      ? ask(DetectionAnswer, { call: answer.value, record: Option.isSome(record) })
      : ask(DetectionStatus, {})
    if (!reply.available) return yield* json ? printJson(reply) : note(reply.detail)
    if (reply.mode === "off") return yield* json ? printJson(reply) : note(HOW)
    yield* json ? printJson(reply) : printLine(listed(reply))
    if (!flags.watch) return
    yield* Effect.forEach(
      reply.calls.filter(({ asks }) => asks && !json),
      ({ call, application }) => consent(ask, call, application)
    )
    yield* watch(Context.get(services, Bus), ask, json)
  }, Effect.scoped)
).pipe(Command.withDescription("List calls that other programs are in; record one until it ends"))
