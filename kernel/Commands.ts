/**
 * Commands over the bus: whoever owns something serves the commands on it, everybody else calls them. One of several
 * processes that serve a command answers.
 *
 * @example
 * const status = handler(InstanceStatus, () => Effect.succeed({ ... }))
 * yield* serve([status])
 * const answer = yield* call(InstanceStatus, {})
 */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { type CommandSpec, commandSubject } from "../contract/Command.ts"
import { ErrorCode, ERRORS } from "../contract/Errors.ts"
import { HEADERS } from "../contract/Subjects.ts"
import { audit } from "./Audit.ts"
import { Bus, type Bytes, type Headers } from "./Bus.ts"
import { describe, type Failure, Retryable, Terminal } from "./Failure.ts"
import { traceparent } from "./Trace.ts"

const CODE = "Vox-Error"
const PATIENCE_MS = 10_000

/** Who asks: the name of the program and, where the gateway asks for somebody, of the client. */
export interface Caller {
  readonly name: string
}

export interface Handler<R = never> {
  readonly spec: CommandSpec
  /** Takes and returns JSON values; decodes and encodes by the schemas of the command. */
  readonly run: (request: unknown, caller: Caller) => Effect.Effect<unknown, Failure, R>
}

const invalid = ({ name, secret }: Pick<CommandSpec, "name" | "secret">, cause: unknown) =>
  secret === true
    ? new Terminal({ code: "input.invalid", message: `The request of ${name} is not valid.` })
    : new Terminal({ code: "input.invalid", message: `The request of ${name} is not valid: ${describe(cause)}`, cause })

/** What serves a command: a function from the decoded request to the reply. */
export const handler = <Request extends CommandSpec["request"], Reply extends CommandSpec["reply"], R>(
  spec: CommandSpec<Request, Reply>,
  run: (request: Request["Type"], caller: Caller) => Effect.Effect<Reply["Type"], Failure, R>
): Handler<R> => {
  const decode = Schema.decodeUnknownEffect(spec.request, { onExcessProperty: "error" })
  const encode = Schema.encodeEffect(spec.reply)
  return {
    spec,
    run: (request, caller) =>
      decode(request).pipe(
        Effect.mapError((cause) => invalid(spec, cause)),
        Effect.flatMap((decoded) => run(decoded, caller)),
        Effect.flatMap((reply) =>
          encode(reply).pipe(
            Effect.mapError((cause) => new Terminal({ code: "internal", message: `${spec.name} made a reply that is not valid.`, cause }))
          )
        )
      )
  }
}

const bytes = (value: unknown): Bytes => new TextEncoder().encode(JSON.stringify(value))
const parse = (spec: Pick<CommandSpec, "name" | "secret">, data: Bytes) =>
  Effect.try({
    try: (): unknown => (data.length === 0 ? {} : JSON.parse(new TextDecoder().decode(data))),
    catch: (cause) => invalid(spec, cause)
  })

/** A defect is a fault of ours; the caller hears of it instead of waiting. */
const failureOf = (cause: Cause.Cause<Failure>): Failure =>
  Option.getOrElse(
    Cause.findErrorOption(cause),
    () => new Retryable({ code: "internal", message: `An unexpected fault: ${describe(Cause.squash(cause))}` })
  )

/** The failure as it travels in an answer. */
export const failureBody = ({ code, message }: Failure) => ({ code, message, fix: ERRORS[code].fix, recoverable: ERRORS[code].recoverable })

/** Does what is asked and puts it in the audit log if it changes something. */
export const perform = Effect.fnUntraced(function* <R>({ spec, run }: Handler<R>, request: unknown, caller: Caller) {
  const exit = yield* Effect.exit(run(request, caller))
  if (spec.changes) yield* audit(caller.name, spec.name, request, exit._tag === "Success" ? "done" : failureOf(exit.cause).code)
  return yield* exit._tag === "Success" ? Effect.succeed(exit.value) : Effect.fail(failureOf(exit.cause))
})

const answer = <R>(each: Handler<R>, data: Bytes, headers: Headers) =>
  parse(each.spec, data).pipe(
    Effect.flatMap((request) => perform(each, request, { name: headers[HEADERS.actor] ?? "unknown" })),
    Effect.match({
      onSuccess: (reply) => ({ data: bytes(reply), headers: {} }),
      onFailure: (failure) => ({ data: bytes(failureBody(failure)), headers: { [CODE]: failure.code } })
    })
  )

/** Answers these commands until the scope closes. */
export const serve = Effect.fnUntraced(function* <R>(handlers: ReadonlyArray<Handler<R>>) {
  const bus = yield* Bus
  yield* Effect.forEach(handlers, (each) => bus.respond(commandSubject(each.spec), ({ data, headers }) => answer(each, data, headers)), {
    discard: true
  })
})

const unreadable = (name: string, cause: unknown) =>
  new Terminal({ code: "event.invalid", message: `The answer of ${name} does not match its schema.`, cause })

const Failed = Schema.fromJsonString(Schema.Struct({ code: ErrorCode, message: Schema.String, recoverable: Schema.Boolean }))

/**
 * Asks the running instance with JSON as it came from somewhere: the handler checks it. Fails with what the handler failed
 * with; `bus.unavailable` when nobody serves the command.
 *
 * @param options.as name of the caller, for the audit log
 */
export const callJson = Effect.fnUntraced(function* (
  spec: Pick<CommandSpec, "name" | "secret">,
  request: unknown,
  options: { readonly timeoutMs?: number; readonly as?: string } = {}
): Effect.fn.Return<unknown, Failure, Bus> {
  const bus = yield* Bus
  const { data, headers } = yield* bus.request(commandSubject(spec), bytes(request), {
    timeoutMs: options.timeoutMs ?? PATIENCE_MS,
    headers: { ...(yield* traceparent), [HEADERS.actor]: options.as ?? "voxbus" }
  })
  if (headers[CODE] === undefined) return yield* parse(spec, data)
  const { code, message, recoverable } = yield* Schema.decodeUnknownEffect(Failed)(new TextDecoder().decode(data)).pipe(
    Effect.mapError((cause) => unreadable(spec.name, cause))
  )
  return yield* recoverable ? new Retryable({ code, message }) : new Terminal({ code, message })
})

/** Asks the running instance, with the types of the command. Fails as `callJson` does. */
export const call = Effect.fnUntraced(function* <Request extends CommandSpec["request"], Reply extends CommandSpec["reply"]>(
  spec: CommandSpec<Request, Reply>,
  request: Request["Type"],
  options: { readonly timeoutMs?: number; readonly as?: string } = {}
): Effect.fn.Return<Reply["Type"], Failure, Bus> {
  const encoded = yield* Schema.encodeEffect(spec.request)(request).pipe(Effect.mapError((cause) => invalid(spec, cause)))
  const reply = yield* callJson(spec, encoded, options)
  return yield* Schema.decodeUnknownEffect(spec.reply)(reply).pipe(Effect.mapError((cause) => unreadable(spec.name, cause)))
})
