/** What a running instance says of itself. */
import * as Schema from "effect/Schema"
import { command } from "./Command.ts"

export const InstanceStatus = command("instance.status", {
  request: Schema.Struct({}),
  reply: Schema.Struct({
    version: Schema.String,
    /** Address of the gateway; empty where there is none. */
    gateway: Schema.String,
    bus: Schema.String,
    offline: Schema.Boolean,
    /** Threads that may compute at once. */
    cores: Schema.Int
  }),
  changes: false,
  means: "The version, the addresses and the limits of the running instance."
})
