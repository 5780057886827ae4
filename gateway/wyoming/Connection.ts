/**
 * One connection of a Wyoming client. Requests that take long run beside the reading of what comes, one after the other, so
 * `describe` and `ping` are answered at any time. What cannot be done is answered with `error` and, where the client waits
 * for an end, with that end; what is not Wyoming ends the connection.
 */
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Schema from "effect/Schema"
import * as Scope from "effect/Scope"
import * as Semaphore from "effect/Semaphore"
import { type Failure, Terminal } from "../../kernel/Failure.ts"
import type { Errands, Hearing } from "../Errands.ts"
import type { Data, Frame } from "./Frames.ts"
import { readAloud, type Reading, type Send, speakText } from "./Voice.ts"

export interface Conversations {
  /** Answers a question; questions with the same id belong together. */
  readonly ask: (id: string | undefined, question: string, language: string | undefined) => Effect.Effect<string, Failure>
}

const Format = Schema.Struct({
  rate: Schema.Int.check(Schema.isBetween({ minimum: 8_000, maximum: 192_000 })),
  width: Schema.Literal(2),
  channels: Schema.Literals([1, 2])
})
const Text = Schema.Struct({ text: Schema.String.check(Schema.isMaxLength(20_000)) })

const decode = <S extends Schema.Top & { readonly DecodingServices: never }>(
  schema: S,
  type: string,
  data: Data
): Effect.Effect<S["Type"], Terminal> =>
  Schema.decodeUnknownEffect(schema)(data).pipe(
    Effect.mapError((cause) => new Terminal({ code: "input.invalid", message: `${type}: ${cause.message.split("\n")[0] ?? ""}` }))
  )

/** Requests of a connection that are not answered yet. */
const MOST_WAITING = 32

const isObject = (value: unknown): value is Data => typeof value === "object" && value !== null && !Array.isArray(value)
const text = (value: unknown): string | undefined => (typeof value === "string" && value !== "" ? value : undefined)

/** Lives as long as the scope, which is that of the connection. */
export const makeConnection = Effect.fnUntraced(function* (options: {
  readonly errands: Errands
  readonly conversations: Conversations
  readonly describe: Effect.Effect<Data>
  /** The voices that may be asked for by name. */
  readonly voices: ReadonlyArray<string>
  readonly send: Send
}) {
  const { errands, conversations, send } = options
  const scope = yield* Effect.scope
  const inTurn = yield* Semaphore.make(1)
  let language: string | undefined
  let hearing: { readonly at: Hearing; readonly scope: Scope.Closeable } | undefined
  let reading: { readonly at: Reading; readonly scope: Scope.Closeable; readonly done: Deferred.Deferred<void> } | undefined

  const complain = ({ code, message }: Failure) => send("error", { text: message, code })

  const running = new Set<Fiber.Fiber<void>>()

  /** Beside the reading of the connection, after what was asked before. */
  const later = Effect.fnUntraced(function* (work: Effect.Effect<void, Failure>): Effect.fn.Return<void, Failure> {
    if (running.size >= MOST_WAITING)
      return yield* new Terminal({ code: "request.limited", message: `More than ${MOST_WAITING} requests wait on this connection.` })
    const fiber = yield* work.pipe(inTurn.withPermits(1), Effect.catch(complain), Effect.forkIn(scope))
    running.add(fiber)
    fiber.addObserver(() => running.delete(fiber))
  })

  const voiceOf = ({ voice }: Data): string | undefined => {
    const name = isObject(voice) ? text(voice["name"]) : undefined
    return name !== undefined && options.voices.includes(name) ? name : undefined
  }

  const listen = Effect.fnUntraced(function* (type: string, data: Data) {
    if (hearing !== undefined) return hearing
    const { rate, channels } = yield* decode(Format, type, data)
    const own = yield* Scope.fork(scope)
    const at = yield* Scope.provide(errands.hear({ sampleRate: rate, channels }, language), own)
    return (hearing = { at, scope: own })
  })

  /** The client waits for `transcript` and for nothing else: where there will be none, the connection ends. */
  const writeDown = Effect.gen(function* () {
    const heard = hearing
    hearing = undefined
    const spoken = language
    language = undefined
    if (heard === undefined) return yield* send("transcript", { text: "" })
    const finish = heard.at.finish.pipe(
      Effect.catch((failure) => (failure.code === "audio.empty" ? Effect.succeed("") : Effect.fail(failure))),
      Effect.flatMap((words) => send("transcript", { text: words, ...(spoken === undefined ? {} : { language: spoken }) })),
      Effect.ensuring(Scope.close(heard.scope, Exit.void))
    )
    yield* later(finish)
  })

  const startReading = Effect.fnUntraced(function* (data: Data) {
    if (reading !== undefined) return
    const own = yield* Scope.fork(scope)
    const at = yield* Scope.provide(readAloud(errands, send, voiceOf(data)), own)
    const done = yield* Deferred.make<void>()
    reading = { at, scope: own, done }
    yield* later(
      at.played.pipe(
        Effect.catch(complain),
        Effect.andThen(send("synthesize-stopped")),
        Effect.ensuring(Scope.close(own, Exit.void)),
        Effect.ensuring(Deferred.succeed(done, undefined))
      )
    )
  })

  /** Nothing can be started: the client waits for the end all the same. */
  const startOrStop = (data: Data) =>
    startReading(data).pipe(Effect.catch((failure) => Effect.andThen(complain(failure), send("synthesize-stopped"))))

  const answer = Effect.fnUntraced(function* (data: Data) {
    const { text: question } = yield* decode(Text, "transcript", data)
    const context = isObject(data["context"]) ? data["context"] : undefined
    const rest = context === undefined ? {} : { context }
    const asked = conversations.ask(text(context?.["conversation_id"]), question, text(data["language"]))
    yield* later(
      asked.pipe(
        Effect.flatMap((reply) => send("handled", { text: reply, ...rest })),
        Effect.catch((failure) => send("not-handled", { text: failure.message, ...rest }))
      )
    )
  })

  const handle = Effect.fnUntraced(function* ({ type, data, payload }: Frame): Effect.fn.Return<void, Failure> {
    switch (type) {
      case "describe":
        return yield* send("info", yield* options.describe)
      case "ping":
        return yield* send("pong", { text: text(data["text"]) ?? "" })
      case "transcribe":
        return void (language = text(data["language"]))
      case "audio-start":
        return void (yield* listen(type, data))
      case "audio-chunk": {
        const { at } = yield* listen(type, data)
        return payload.length === 0 ? undefined : yield* at.frame(payload)
      }
      case "audio-stop":
        return yield* writeDown
      case "synthesize": {
        // Home Assistant sends the whole text once more inside a stream of it.
        if (reading !== undefined) return
        const { text: wanted } = yield* decode(Text, type, data)
        return yield* later(speakText(errands, send, wanted, voiceOf(data)))
      }
      case "synthesize-start":
        return yield* startOrStop(data)
      case "synthesize-chunk":
        return yield* reading === undefined ? Effect.void : reading.at.chunk((yield* decode(Text, type, data)).text)
      case "synthesize-stop": {
        const ended = reading
        reading = undefined
        return yield* ended === undefined ? Effect.void : ended.at.stop
      }
      case "transcript":
        return yield* answer(data)
      case "recognize":
        return yield* send("not-recognized", { text: "Voxbus has no intents; it answers `transcript`." })
      default:
        // What a newer client says beside its requests.
        return
    }
  })

  /** Ends when everything that was asked for is answered. */
  const settled = Effect.suspend(() => Effect.asVoid(Fiber.awaitAll([...running])))

  return { handle, complain, settled }
})
