/** The audit log: who changed what, on a stream of its own. Names commands and sessions, never content. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import { AuditRecord } from "../contract/AuditCommands.ts"
import { Bus } from "./Bus.ts"

const encode = Schema.encodeSync(Schema.fromJsonString(AuditRecord))
const decode = Schema.decodeUnknownOption(Schema.fromJsonString(AuditRecord))

const sessionOf = (request: unknown): { readonly session?: string } =>
  typeof request === "object" && request !== null && "session" in request && typeof request.session === "string"
    ? { session: request.session.slice(0, 64) }
    : {}

/** Writes one record. What was done is done, so a log that cannot be written is a warning. */
export const audit = Effect.fnUntraced(
  function* (who: string, command: string, request: unknown, outcome: AuditRecord["outcome"]) {
    const bus = yield* Bus
    const at = new Date(yield* Clock.currentTimeMillis).toISOString()
    const record = encode({ at, who, command, ...sessionOf(request), outcome })
    yield* bus.publish({ subject: `audit.${command}`, data: new TextEncoder().encode(record) })
  },
  Effect.catch((failure) => Effect.logWarning("not in the audit log").pipe(Effect.annotateLogs({ reason: failure.message })))
)

/** The newest records first. */
export const auditRecords = Effect.fnUntraced(function* (limit: number) {
  const bus = yield* Bus
  const newest = yield* bus.read("AUDIT", { filters: ["audit.>"] }).pipe(Stream.takeRight(limit), Stream.runCollect)
  return newest
    .flatMap(({ data }) => {
      const record = decode(new TextDecoder().decode(data))
      return record._tag === "Some" ? [record.value] : []
    })
    .toReversed()
})
