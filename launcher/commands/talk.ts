/**
 * `voxbus talk`: push to talk without a browser, on the instance that runs. Enter begins and ends a question; with
 * `--toggle` one press, for a key of the desktop.
 */
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import { createInterface } from "node:readline"
import { StartTalk, StopTalk, TalkStatus, ToggleTalk } from "../../contract/TalkCommands.ts"
import { Terminal } from "../../kernel/Failure.ts"
import { Settings } from "../../kernel/Settings.ts"
import { follow } from "../Call.ts"
import { findInstance } from "../Instance.ts"
import { asker } from "../Invoke.ts"
import { failureText, jsonFlag, note, printJson, printLine } from "../Output.ts"

/** Shows a turn as it goes, until its answer is whole. */
const show = (session: string, turn: number) =>
  follow("assistant", session).pipe(
    Stream.map(({ event }) => event),
    Stream.filter((event) => "unit" in event && event.unit === turn),
    Stream.tap((event) => {
      if (event._tag === "text.transcribed") return printLine(`you:   ${event.text}`)
      if (event._tag === "text.rejected") return printLine(`I did not hear any words (${event.reason}).`)
      if (event._tag === "reply.drafted") return printLine(`reply: ${event.text}`)
      return event._tag === "error.raised" ? note(failureText(new Terminal({ code: event.code, message: event.message }))) : Effect.void
    }),
    Stream.takeUntil(
      ({ _tag }) => _tag === "reply.ready" || _tag === "text.rejected" || _tag === "error.raised" || _tag === "turn.cancelled"
    ),
    Stream.runDrain
  )

export const talk = Command.make(
  "talk",
  {
    toggle: Flag.Boolean("toggle").pipe(Flag.withDescription("Begin or end a question, and return"), Flag.withDefault(false)),
    start: Flag.Boolean("start").pipe(Flag.withDescription("Begin one, and return (a key that is pressed)"), Flag.withDefault(false)),
    stop: Flag.Boolean("stop").pipe(Flag.withDescription("End it, and return (a key that is released)"), Flag.withDefault(false)),
    device: Flag.String("device").pipe(Flag.withDescription("Id from `voxbus devices`; the default one when absent"), Flag.optional),
    json: jsonFlag
  },
  Effect.fn(function* ({ toggle, start, stop, device, json }) {
    const { home } = yield* Settings
    if (findInstance(home)?.kind !== "start")
      return yield* new Terminal({ code: "bus.unavailable", message: "Talking needs a running instance." })
    const { ask, services } = yield* asker()
    const request = Option.isSome(device) ? { device: device.value } : {}
    if (toggle || start || stop) {
      const reply = yield* toggle ? ask(ToggleTalk, request) : start ? ask(StartTalk, request) : ask(StopTalk, {})
      return yield* json ? printJson(reply) : printLine(reply.listening ? "listening" : "heard")
    }
    const reader = yield* Effect.acquireRelease(
      Effect.sync(() => createInterface({ input: process.stdin })),
      (reader) => Effect.sync(() => reader.close())
    )
    yield* note("Enter begins a question, Enter ends it. Ctrl-D leaves.")
    yield* Stream.fromAsyncIterable(reader, () => new Terminal({ code: "input.invalid", message: "The terminal cannot be read." })).pipe(
      Stream.runForEach(() =>
        Effect.gen(function* () {
          const reply = yield* ask(ToggleTalk, request)
          if (reply.listening) return yield* note("(listening; Enter ends it)")
          if (reply.session !== undefined && reply.turn !== undefined) yield* show(reply.session, reply.turn).pipe(Effect.provide(services))
        }).pipe(Effect.catch((failure) => note(failureText(failure))))
      )
    )
    if ((yield* ask(TalkStatus, {})).listening) yield* ask(StopTalk, {})
  }, Effect.scoped)
).pipe(
  Command.withDescription("Push to talk with the microphone of this machine"),
  Command.withExamples([{ command: "voxbus talk --toggle", description: "For a key of the desktop: press, speak, press" }])
)
