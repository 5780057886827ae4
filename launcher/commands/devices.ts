/** `voxbus devices`: what can be recorded here, and what the guard says. */
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { DevicesAllow, DevicesList } from "../../contract/RecordingCommands.ts"
import { invoke } from "../Invoke.ts"
import { jsonFlag, printJson, printLine } from "../Output.ts"

export const devices = Command.make(
  "devices",
  {
    allow: Flag.String("allow").pipe(Flag.withDescription("Put a device (part of its id or name) on the allowlist"), Flag.optional),
    block: Flag.String("block").pipe(Flag.withDescription("Put it on the blocklist"), Flag.optional),
    json: jsonFlag
  },
  Effect.fn(function* ({ allow, block, json }) {
    const pattern = Option.orElse(allow, () => block)
    const { devices } = yield* Option.isSome(pattern)
      ? invoke(DevicesAllow, { pattern: pattern.value, allow: Option.isSome(allow) })
      : invoke(DevicesList, {})
    if (json) return yield* printJson({ devices })
    const lines = devices.map(
      ({ id, name, kind, allowed, reason, isDefault }) =>
        `${allowed ? "+" : "-"} ${id}\n    ${name} (${kind}${isDefault ? ", default" : ""}): ${reason}`
    )
    yield* printLine(lines.length === 0 ? "No recording devices." : lines.join("\n"))
  }, Effect.scoped)
).pipe(Command.withDescription("List recording devices; allow or block them"))
