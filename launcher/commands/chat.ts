/**
 * `voxbus chat`: the assistant in the terminal, text in and out, on the same actors as the voice. Sentences appear as the
 * model writes them. A new line interrupts the answer that is being written; piped lines wait for each other.
 */
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import type * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as Pull from "effect/Pull"
import * as Queue from "effect/Queue"
import * as Stream from "effect/Stream"
import { createInterface } from "node:readline"
import { ClearConversation, PlayedTurn, SendMessage, StopTurn } from "../../contract/ConversationCommands.ts"
import { ERRORS } from "../../contract/Errors.ts"
import type { Event } from "../../contract/Events.ts"
import type { SessionId } from "../../contract/Session.ts"
import { Terminal } from "../../kernel/Failure.ts"
import { Settings } from "../../kernel/Settings.ts"
import { follow } from "../Call.ts"
import { asker } from "../Invoke.ts"
import { failureText, jsonFlag, note, printJson, printLine } from "../Output.ts"
import { checkedSession } from "../SessionArgument.ts"

type Input = { readonly _tag: "Line"; readonly text: string } | { readonly _tag: "Interrupt" }

const HELP = "  /stop  end the answer    /clear  forget what was said    /quit  or Ctrl-D"
const PROMPT = "you> "

/** Lines of standard input; Ctrl-C of a terminal is one of them. */
const lines = Effect.gen(function* () {
  const queue = yield* Queue.unbounded<Input, Cause.Done>()
  const reader = createInterface({ input: process.stdin, output: process.stderr, terminal: process.stdin.isTTY, prompt: PROMPT })
  reader.on("line", (text) => void Queue.offerUnsafe(queue, { _tag: "Line", text: text.trim() }))
  reader.on("SIGINT", () => void Queue.offerUnsafe(queue, { _tag: "Interrupt" }))
  reader.on("close", () => void Queue.endUnsafe(queue))
  yield* Effect.addFinalizer(() => Effect.sync(() => reader.close()))
  return { queue, prompt: Effect.sync(() => (process.stdin.isTTY ? reader.prompt(true) : undefined)) }
})

const isOver = (event: Event): boolean =>
  event._tag === "reply.ready" || event._tag === "turn.cancelled" || (event._tag === "error.raised" && event.actor !== "speaker")

export const chat = Command.make(
  "chat",
  {
    session: Flag.String("session").pipe(Flag.withDescription("Go on with this conversation; a new one when absent"), Flag.optional),
    json: jsonFlag
  },
  Effect.fn(function* (options) {
    const { session: defaults } = yield* Settings.current
    // Nobody listens: no voice has to be made.
    const config = { ...defaults, until: "reply" as const }
    const { ask, services } = yield* asker(["reasoner"])
    let session: SessionId | undefined = Option.isSome(options.session) ? yield* checkedSession(options.session.value) : undefined
    let turn = 0
    let answering: Fiber.Fiber<void, unknown> | undefined
    const { queue, prompt } = yield* lines
    if (process.stdin.isTTY) yield* note(HELP)

    const show = (event: Event) => {
      if (options.json)
        return event._tag === "reply.drafted" ? printJson({ turn, sentence: event.sentence, text: event.text }) : Effect.void
      if (event._tag === "reply.drafted") return printLine(event.text)
      if (event._tag === "tool.called") return note(`  (${event.name})`)
      if (event._tag === "error.raised" && event.actor !== "speaker")
        return note(failureText(new Terminal({ code: event.code, message: event.message })))
      return Effect.void
    }

    const answer = Effect.fnUntraced(function* (text: string) {
      const sent = yield* ask(SendMessage, { text, config, ...(session === undefined ? { fresh: true } : { session }) })
      session = sent.session
      turn = sent.turn
      const own = yield* follow("assistant", sent.session).pipe(
        Stream.map(({ event }) => event),
        Stream.filter((event) => "unit" in event && event.unit === sent.turn),
        Stream.tap(show),
        Stream.takeUntil(isOver),
        Stream.runCollect,
        Effect.provide(services)
      )
      const ready = own.find((event) => event._tag === "reply.ready")
      const failure = own.find((event) => event._tag === "error.raised" && event.actor !== "speaker")
      if (failure?._tag === "error.raised") process.exitCode = ERRORS[failure.code].exit
      if (ready !== undefined && ready.sentences > 0)
        yield* ask(PlayedTurn, { session: sent.session, turn: sent.turn, sentences: ready.sentences, samples: 0, interrupted: false })
      if (options.json)
        yield* printJson({ session, turn, reply: ready?.text ?? "", ...(failure === undefined ? {} : { problem: failure }) })
      yield* prompt
    })

    /** Ends the answer that is being written; says whether there was one. */
    const stop = Effect.gen(function* () {
      const running = answering
      answering = undefined
      if (running === undefined || running.pollUnsafe() !== undefined || session === undefined) return false
      yield* ask(StopTurn, { session, turn })
      yield* Fiber.await(running)
      return true
    })

    const obey = Effect.fnUntraced(function* (line: string) {
      if (line === "") return yield* prompt
      if (line === "/stop") return yield* Effect.andThen(stop, prompt)
      if (line === "/clear") {
        yield* stop
        if (session !== undefined) yield* ask(ClearConversation, { session })
        yield* note("Forgotten.")
        return yield* prompt
      }
      if (line.startsWith("/")) return yield* Effect.andThen(note(HELP), prompt)
      yield* stop
      answering = yield* answer(line).pipe(
        Effect.catch((failure) => Effect.andThen(note(failureText(failure)), prompt)),
        Effect.forkScoped
      )
      if (!process.stdin.isTTY) yield* Fiber.await(answering)
    })

    yield* prompt
    // Ctrl-C without a terminal ends the command, and the answer with it.
    yield* Effect.gen(function* () {
      for (;;) {
        const input = yield* Queue.take(queue)
        if (input._tag === "Interrupt" ? !(yield* stop) : input.text === "/quit") return
        if (input._tag === "Line") yield* obey(input.text)
      }
    }).pipe(
      Pull.catchDone(() => Effect.void),
      Effect.onInterrupt(() => Effect.ignore(stop))
    )
    if (answering !== undefined) yield* Fiber.await(answering)
  }, Effect.scoped)
).pipe(
  Command.withDescription("Talk to the assistant by typing; /clear, /stop, /quit"),
  Command.withExamples([{ command: "echo 'What is the capital of France?' | voxbus chat", description: "One question from a pipe" }])
)
