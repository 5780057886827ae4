/** What a person looks at who searches for a fault: `/api/debug/...`. All of it wants the scope `admin`. */
import * as Schema from "effect/Schema"
import { ActorStatus } from "./ActorCommands.ts"
import { command } from "./Command.ts"
import { ConversationState } from "./ConversationCommands.ts"
import { ErrorCode } from "./Errors.ts"
import { CallPhase } from "./RecordingCommands.ts"
import { Mode, SessionId } from "./Session.ts"
import { SessionSummary } from "./SessionCommands.ts"
import { Job, JobState } from "./JobCommands.ts"

const Count = Schema.Int.check(Schema.isGreaterThanOrEqualTo(0))
const nothing = Schema.Struct({})

export const DebugState = command("debug.state", {
  request: nothing,
  reply: Schema.Struct({
    version: Schema.String,
    /** Version of Node.js, and the platform as it names it. */
    node: Schema.String,
    platform: Schema.String,
    /** Of the launcher. */
    pid: Schema.Int,
    uptimeSeconds: Count,
    offline: Schema.Boolean,
    /** What the newest conversation does. */
    assistant: ConversationState.reply,
    /** What the newest live recording does; `IDLE` where there is none. */
    call: Schema.Struct({ state: CallPhase, session: Schema.optionalKey(SessionId) }),
    actors: Schema.Array(ActorStatus.mapFields(({ actor, health, detail, level }) => ({ actor, health, detail, level })))
  }),
  changes: false,
  admin: true,
  means: "What the instance, the assistant and the recorder do right now."
})

export const DebugSessions = command("debug.sessions", {
  request: nothing,
  reply: Schema.Struct({ sessions: Schema.Array(SessionSummary) }),
  changes: false,
  admin: true,
  means: "Sessions that are open or being worked on, the newest first; at most 100 in each state."
})

export const DebugQueue = command("debug.queue", {
  request: nothing,
  reply: Schema.Struct({
    /** How many jobs are in each state. */
    counts: Schema.Struct({ queued: Count, held: Count, running: Count, done: Count, failed: Count, cancelled: Count }),
    /** Those that run, then those that wait in their order; at most 100. */
    jobs: Schema.Array(
      Schema.Struct({ session: SessionId, state: JobState, title: Schema.String, priority: Job.fields.priority, queuedAt: Schema.String })
    )
  }),
  changes: false,
  admin: true,
  means: "The queue of calls, counted, and what runs and waits in it."
})

export const DebugErrors = command("debug.errors", {
  request: Schema.Struct({
    /** The newest so many; 50 when absent. */
    limit: Schema.optionalKey(Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 500 })))
  }),
  reply: Schema.Struct({
    errors: Schema.Array(
      Schema.Struct({
        /** ISO 8601. */
        at: Schema.String,
        mode: Mode,
        session: SessionId,
        event: Schema.Literals(["error.raised", "job.failed"]),
        /** Empty for a job as a whole. */
        actor: Schema.String,
        code: ErrorCode,
        message: Schema.String
      })
    )
  }),
  changes: false,
  admin: true,
  means: "What went wrong according to the log, the newest first."
})

export const DebugMemory = command("debug.memory", {
  request: nothing,
  reply: Schema.Struct({
    /** 10^6 bytes, as all sizes here. */
    totalMB: Schema.Finite,
    freeMB: Schema.Finite,
    /** JavaScript heap of the launcher. */
    heapMB: Schema.Finite,
    /** The launcher and everything that it started; the launcher alone where the system has no `/proc`. */
    processes: Schema.Array(
      Schema.Struct({
        pid: Schema.Int,
        name: Schema.String,
        rssMB: Schema.Finite,
        /** Shared pages divided by how many processes share them. */
        pssMB: Schema.optionalKey(Schema.Finite)
      })
    )
  }),
  changes: false,
  admin: true,
  means: "Memory of the host and of each process of the instance."
})

export const DebugConfig = command("debug.config", {
  request: nothing,
  reply: Schema.Struct({ file: Schema.String, value: Schema.Json }),
  changes: false,
  admin: true,
  means: "The settings that count. Passwords and parameters in addresses, and arguments of commands, are left out."
})
