/** What is known of the request that is being handled. */
import * as Context from "effect/Context"
import type { Identity } from "../kernel/Tokens.ts"

/** Who asks. */
export const Caller = Context.Reference<Identity>("voxbus/gateway/Caller", { defaultValue: () => ({ name: "nobody", scopes: [] }) })
/** Names the request in answers and logs. */
export const RequestId = Context.Reference<string>("voxbus/gateway/RequestId", { defaultValue: () => "" })
