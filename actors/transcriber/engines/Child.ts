/**
 * An engine in a process of its own, supervised: started on first use, restarted with backoff when it dies, killed with
 * its scope. Native code may crash there without taking the actor along.
 *
 * A request that was in flight when the process died fails `Retryable`: the bus delivers it again, to the next process.
 * The only file that starts engine processes; `node:child_process` because stdin, stdout and the exit must be seen raw.
 */
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process"
import { createInterface } from "node:readline"
import type { Bytes } from "../../../kernel/Bus.ts"
import { describe, type Failure, Retryable, Terminal } from "../../../kernel/Failure.ts"
import { decoder, encode } from "./Frames.ts"

export interface Command {
  readonly file: string
  readonly args: ReadonlyArray<string>
  readonly env: Readonly<Record<string, string>>
}

export interface Child {
  /** The answer to a frame, decoded. Fails when the process dies, refuses the input, or takes longer than `patienceMs`. */
  readonly request: <A>(reply: Schema.Codec<A, unknown>, header: object, body?: Bytes) => Effect.Effect<A, Failure>
  /** Process id while it runs. */
  readonly pid: () => number | undefined
  /** Kills it for good; requests in flight fail. Needed before its scope closes where a request is uninterruptible. */
  readonly stop: Effect.Effect<void>
}

/** Kills a process that gave no answer: the longest pass takes a few seconds, loading a large model a minute or two. */
const patienceMs = 300_000
const slowestRestartMs = 5_000

/** What an engine process needs of the environment; keys of providers are not among it. */
const INHERITED = ["PATH", "HOME", "TMPDIR", "TEMP", "LANG", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "SystemRoot"]
const inherited = (): Record<string, string> =>
  Object.fromEntries(INHERITED.flatMap((name) => (process.env[name] === undefined ? [] : [[name, process.env[name]]])))

const Head = Schema.Struct({
  id: Schema.optionalKey(Schema.Int),
  ready: Schema.optionalKey(Schema.Boolean),
  error: Schema.optionalKey(Schema.String),
  input: Schema.optionalKey(Schema.Boolean)
})
const decodeHead = Schema.decodeUnknownSync(Head)

const ended = (name: string, how: string) =>
  new Retryable({ code: "engine.failed", message: `The ${name} process ended (${how}).`, delayMs: 200 })

type Pending = Map<number, (answer: Effect.Effect<unknown, Failure>) => void>

/** One run of the process. Settles when it is over; `onReady` fires once when it is able to work. */
const live = (
  name: string,
  command: Command,
  pending: Pending,
  onReady: (process: ChildProcessWithoutNullStreams) => void,
  onLine: (line: string) => void
): Effect.Effect<string> =>
  Effect.callback<string>((resume) => {
    const child = spawn(command.file, [...command.args], { env: { ...inherited(), ...command.env }, stdio: "pipe" })
    let last = ""
    const over = (how: string) => resume(Effect.succeed(last === "" ? how : `${how}: ${last}`))
    child.once("error", (cause) => over(describe(cause)))
    child.once("close", (code, signal) => over(signal === null ? `exit code ${code}` : `killed by ${signal}`))
    child.stdin.on("error", () => undefined)
    createInterface({ input: child.stderr }).on("line", (line) => {
      last = line.slice(0, 300)
      onLine(last)
    })
    const frames = decoder()
    child.stdout.on("data", (bytes: Buffer) => {
      try {
        for (const frame of frames(bytes)) {
          const head = decodeHead(frame.header)
          if (head.ready === true) onReady(child)
          if (head.id === undefined) continue
          const settle = pending.get(head.id)
          pending.delete(head.id)
          if (head.error === undefined) settle?.(Effect.succeed(frame.header))
          else if (head.input === true) settle?.(Effect.fail(new Terminal({ code: "input.invalid", message: head.error })))
          else settle?.(Effect.fail(new Retryable({ code: "engine.failed", message: `${name}: ${head.error}` })))
        }
      } catch (cause) {
        last = describe(cause)
        child.kill("SIGKILL")
      }
    })
    return Effect.sync(() => child.kill("SIGKILL"))
  })

/** A supervised engine process. Nothing is started before the first request. */
export const make = Effect.fnUntraced(function* (name: string, command: Effect.Effect<Command, Failure>) {
  const log = Effect.runForkWith(yield* Effect.context<never>())
  const wanted = yield* Deferred.make<void>()
  const pending: Pending = new Map()
  let connection = yield* Deferred.make<ChildProcessWithoutNullStreams, Failure>()
  let running: ChildProcessWithoutNullStreams | undefined
  let ids = 0
  let strikes = 0

  const end = Effect.fnUntraced(function* (failure: Failure) {
    const before = connection
    connection = yield* Deferred.make<ChildProcessWithoutNullStreams, Failure>()
    running = undefined
    yield* Deferred.fail(before, failure)
    for (const [id, settle] of pending) {
      pending.delete(id)
      settle(Effect.fail(failure))
    }
  })

  const run = Effect.gen(function* () {
    const how = yield* live(
      name,
      yield* command,
      pending,
      (child) => {
        running = child
        strikes = 0
        Deferred.doneUnsafe(connection, Effect.succeed(child))
      },
      (line) => log(Effect.logDebug(line).pipe(Effect.annotateLogs({ engine: name })))
    )
    yield* Effect.logWarning("engine process ended").pipe(Effect.annotateLogs({ engine: name, how }))
    yield* end(
      running === undefined ? new Retryable({ code: "engine.unavailable", message: `${name} cannot start (${how}).` }) : ended(name, how)
    )
  }).pipe(
    Effect.catch(end),
    Effect.onInterrupt(() => end(ended(name, "stopped"))),
    Effect.andThen(Effect.suspend(() => Effect.sleep(Math.min(slowestRestartMs, 50 * 2 ** Math.min(10, strikes++)))))
  )
  const supervisor = yield* Deferred.await(wanted).pipe(Effect.andThen(Effect.forever(run)), Effect.forkScoped)

  const ask = (header: object, body: Bytes | undefined) =>
    Effect.gen(function* () {
      yield* Deferred.succeed(wanted, undefined)
      const child = yield* Deferred.await(connection)
      return yield* Effect.callback<unknown, Failure>((resume) => {
        const id = ++ids
        pending.set(id, resume)
        child.stdin.write(encode({ ...header, id }, body))
        return Effect.sync(() => pending.delete(id))
      })
    })

  const child: Child = {
    request: (reply, header, body) =>
      ask(header, body).pipe(
        Effect.timeoutOrElse({
          duration: patienceMs,
          orElse: () => {
            running?.kill("SIGKILL")
            return Effect.fail(new Retryable({ code: "engine.timeout", message: `${name} gave no answer in ${patienceMs / 1000} s.` }))
          }
        }),
        Effect.flatMap((answer) =>
          Schema.decodeUnknownEffect(reply)(answer).pipe(
            Effect.mapError(
              (cause) => new Retryable({ code: "engine.failed", message: `${name} gave an answer of the wrong shape.`, cause })
            )
          )
        )
      ),
    pid: () => running?.pid,
    stop: Fiber.interrupt(supervisor)
  }
  return child
}) satisfies (name: string, command: Effect.Effect<Command, Failure>) => Effect.Effect<Child, never, Scope.Scope>
