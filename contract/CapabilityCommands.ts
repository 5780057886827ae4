/** What this installation can do: so that a client asks once instead of trying. */
import * as Schema from "effect/Schema"
import { command } from "./Command.ts"
import { Mode } from "./Session.ts"

const Count = Schema.Int.check(Schema.isGreaterThanOrEqualTo(0))

export const Capabilities = Schema.Struct({
  version: Schema.String,
  /** Threads that may compute at once, and whether other machines may be reached. */
  cores: Schema.Int,
  offline: Schema.Boolean,
  actors: Schema.Array(
    Schema.Struct({
      actor: Schema.String,
      health: Schema.Literals(["starting", "ready", "degraded", "down", "unknown"]),
      /** In a process of its own, which is started again when it dies. */
      apart: Schema.Boolean,
      consumes: Schema.Array(Schema.Struct({ mode: Mode, events: Schema.Array(Schema.String), concurrency: Count })),
      publishes: Schema.Array(Schema.String)
    })
  ),
  engines: Schema.Array(
    Schema.Struct({
      actor: Schema.Literals(["transcriber", "reasoner", "speaker"]),
      /** What a session gets that says nothing, and what it can ask for. */
      default: Schema.String,
      chain: Schema.Array(Schema.String),
      engines: Schema.Array(Schema.String)
    })
  ),
  /** Models on this machine. */
  models: Schema.Array(Schema.Struct({ name: Schema.String, kind: Schema.String, bytes: Count })),
  exports: Schema.Array(Schema.String),
  limits: Schema.Struct({
    uploadBytes: Count,
    uploadsAtOnce: Count,
    bodyBytes: Count,
    socketsPerClient: Count,
    conversationsPerHour: Count,
    requestsPerMinute: Count,
    /** Longest spoken question, seconds. */
    utteranceSeconds: Count
  })
})
export type Capabilities = typeof Capabilities.Type

export const GetCapabilities = command("capabilities.get", {
  request: Schema.Struct({}),
  reply: Capabilities,
  changes: false,
  means: "The actors, engines, models, export formats and limits of this installation.",
  http: { method: "GET", path: "/capabilities" }
})
