/**
 * A command that needs nothing of a bus: asked of the running instance (whose audit log then has it), or handled right
 * here where none runs. Quicker than `invoke`, which starts a bus.
 */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type { CommandSpec } from "../contract/Command.ts"
import type { Handler } from "../kernel/Commands.ts"
import { networkPolicy } from "../kernel/Network.ts"
import { Settings } from "../kernel/Settings.ts"
import { findInstance } from "./Instance.ts"
import { invoke } from "./Invoke.ts"

/** @param handlers those of the area, which need the settings alone */
export const query = Effect.fnUntraced(function* <Request extends CommandSpec["request"], Reply extends CommandSpec["reply"]>(
  handlers: ReadonlyArray<Handler<Settings>>,
  spec: CommandSpec<Request, Reply>,
  request: Request["Type"]
) {
  const settings = yield* Settings
  const here = handlers.find((each) => each.spec.name === spec.name)
  if (here === undefined || findInstance(settings.home)?.kind === "start") return yield* invoke(spec, request)
  yield* networkPolicy(settings.host.offline)
  const encoded = yield* Effect.orDie(Schema.encodeEffect(spec.request)(request))
  const reply = yield* here.run(encoded, { name: "command line" })
  return yield* Effect.orDie(Schema.decodeUnknownEffect(spec.reply)(reply))
})
