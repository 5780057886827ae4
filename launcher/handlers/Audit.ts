/** Who did what. */
import * as Effect from "effect/Effect"
import { ListAudit } from "../../contract/AuditCommands.ts"
import { auditRecords } from "../../kernel/Audit.ts"
import { handler } from "../../kernel/Commands.ts"

const list = handler(ListAudit, ({ limit = 100 }) => Effect.map(auditRecords(limit), (records) => ({ records })))

export const auditHandlers = [list]
