/**
 * A command of the contract from the command line: asked of the running instance, or, where none runs, handled in this
 * process on a bus of its own.
 *
 * @example
 * const status = yield* invoke(InstanceStatus, {})
 */
import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type { CommandSpec } from "../contract/Command.ts"
import { call, perform } from "../kernel/Commands.ts"
import { describe, type Failure, Terminal } from "../kernel/Failure.ts"
import { Settings } from "../kernel/Settings.ts"
import { type Reach, reach } from "./Access.ts"
import { findInstance } from "./Instance.ts"

export type Ask = <Request extends CommandSpec["request"], Reply extends CommandSpec["reply"]>(
  spec: CommandSpec<Request, Reply>,
  request: Request["Type"],
  timeoutMs?: number
) => Effect.Effect<Reply["Type"], Failure>

/** A person can wait, and stop waiting: long enough for the deletion of a long call. */
const PATIENCE_MS = 600_000

export interface Asker {
  readonly ask: Ask
  /** The bus of whoever answers. */
  readonly services: Context.Context<Reach>
  /** An instance answers, and goes on when this process has ended. */
  readonly remote: boolean
}

/** Needs a scope: a bus of its own lives as long. `actors` are those that must run where no instance does. */
export const asker = Effect.fnUntraced(function* (actors: ReadonlyArray<string> = []) {
  const { home } = yield* Settings
  if (findInstance(home)?.kind === "start") {
    const services = yield* reach([])
    const ask: Ask = (spec, request, timeoutMs) =>
      Effect.provide(call(spec, request, { as: "command line", timeoutMs: timeoutMs ?? PATIENCE_MS }), services)
    return { ask, services, remote: true } satisfies Asker
  }
  // A second of loading that a command of a running instance does without.
  const { downFailure, startHost } = yield* Effect.promise(() => import("./Host.ts"))
  const { HANDLERS, shared } = yield* Effect.promise(() => import("./Handlers.ts"))
  const host = yield* startHost({ kind: "command", actors })
  if (host.down.length > 0) return yield* Effect.fail(downFailure(host.down))
  const ask: Ask = Effect.fnUntraced(function* (spec, request) {
    const found = HANDLERS.find((each) => each.spec.name === spec.name)
    if (found === undefined) return yield* new Terminal({ code: "internal", message: `Nothing serves ${spec.name}.` })
    const encoded = yield* Schema.encodeEffect(spec.request)(request).pipe(
      Effect.mapError(
        (cause) => new Terminal({ code: "input.invalid", message: `The request of ${spec.name} is not valid: ${describe(cause)}`, cause })
      )
    )
    const reply = yield* Effect.provide(Effect.provide(perform(found, encoded, { name: "command line" }), shared), host.services)
    return yield* Effect.orDie(Schema.decodeUnknownEffect(spec.reply)(reply))
  })
  return { ask, services: host.services, remote: false } satisfies Asker
})

/** One command; see `asker` for several on the same bus. */
export const invoke = <Request extends CommandSpec["request"], Reply extends CommandSpec["reply"]>(
  spec: CommandSpec<Request, Reply>,
  request: Request["Type"],
  actors: ReadonlyArray<string> = []
) => Effect.flatMap(asker(actors), ({ ask }) => ask(spec, request))
