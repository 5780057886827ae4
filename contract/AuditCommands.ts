/** Who did what: the commands that changed something, without their content. */
import * as Schema from "effect/Schema"
import { command } from "./Command.ts"
import { ErrorCode } from "./Errors.ts"

export const AuditRecord = Schema.Struct({
  /** ISO 8601. */
  at: Schema.String,
  /** `owner`, `page`, `command line`, or the name of an issued token. */
  who: Schema.String,
  command: Schema.String,
  /** The session it was about, where it names one. */
  session: Schema.optionalKey(Schema.String),
  /** `done`, or the code of the failure. */
  outcome: Schema.Union([Schema.Literal("done"), ErrorCode])
})
export type AuditRecord = typeof AuditRecord.Type

export const ListAudit = command("audit.list", {
  request: Schema.Struct({
    /** Newest first; 100 when absent. */
    limit: Schema.optionalKey(Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 1000 })))
  }),
  reply: Schema.Struct({ records: Schema.Array(AuditRecord) }),
  changes: false,
  admin: true,
  means: "Who changed what, the newest first.",
  http: { method: "GET", path: "/audit" }
})
