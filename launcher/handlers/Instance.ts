/** What a running instance says of itself. */
import * as Effect from "effect/Effect"
import { InstanceStatus } from "../../contract/InstanceCommands.ts"
import { handler } from "../../kernel/Commands.ts"
import { Settings } from "../../kernel/Settings.ts"
import { VERSION } from "../commands/version.ts"
import { findInstance } from "../Instance.ts"

const status = handler(InstanceStatus, () =>
  Effect.map(Settings, ({ home, host, cores }) => {
    const running = findInstance(home)
    return { version: VERSION, gateway: running?.gatewayUrl ?? "", bus: running?.busUrl ?? "", offline: host.offline, cores }
  })
)

export const instanceHandlers = [status]
