/** How the actors are, and replacing the process of one while it works. */
import * as Schema from "effect/Schema"
import { command } from "./Command.ts"
import { LagLevel } from "./Events.ts"
import { TextComparison } from "./HistoryCommands.ts"
import { Mode, SessionId } from "./Session.ts"

const Count = Schema.Int.check(Schema.isGreaterThanOrEqualTo(0))

/** One line of work of an actor, shared by all its processes on all hosts. */
export const Lane = Schema.Struct({
  mode: Mode,
  /** Events that nobody has taken yet. */
  pending: Count,
  /** Events that a process works on now. */
  inFlight: Count,
  /** Of those, events that were delivered before: after a crash or a failure. */
  redelivered: Count,
  /** Requests for work that wait for some, on all hosts. */
  idle: Count,
  /** Age of the oldest event that is not settled, milliseconds; 0 where there is none. */
  oldestMs: Count
})
export type Lane = typeof Lane.Type

export const ActorStatus = Schema.Struct({
  actor: Schema.String,
  /** `unknown` where the actor has never said. */
  health: Schema.Literals(["starting", "ready", "degraded", "down", "unknown"]),
  detail: Schema.String,
  /** Ids of its processes on this host; that of the launcher where it runs inside it. */
  processes: Schema.Array(Schema.Int),
  /** Times that a process of it on this host ended by itself. */
  restarts: Count,
  level: LagLevel,
  lanes: Schema.Array(Lane)
})
export type ActorStatus = typeof ActorStatus.Type

export const ActorsStatus = command("actors.status", {
  request: Schema.Struct({}),
  reply: Schema.Struct({ actors: Schema.Array(ActorStatus) }),
  changes: false,
  means: "Each actor: its health, its processes, and how much work waits for it.",
  http: { method: "GET", path: "/actors" }
})

export const ReplaceActor = command("actors.replace", {
  request: Schema.Struct({ actor: Schema.String }),
  reply: Schema.Struct({
    actor: Schema.String,
    /** Process ids. */
    from: Schema.Int,
    to: Schema.Int,
    /** Milliseconds until the new process was ready, and from then until the old one had finished its work and left. */
    readyMs: Count,
    leftMs: Count
  }),
  changes: true,
  admin: true,
  means: "Starts a new process of an actor, and lets the old one finish its work and leave. Takes as long as the model loads.",
  http: { method: "POST", path: "/actors/:actor/replace" }
})

/** Milliseconds from the input to the last output, of what one side worked on, and what its engine computed. */
const Pace = Schema.Struct({ p50: Schema.Finite, p95: Schema.Finite, computeMs: Schema.Finite })

export const CompareActor = command("actors.compare", {
  request: Schema.Struct({ actor: Schema.String, session: Schema.optionalKey(SessionId) }),
  reply: Schema.Struct({
    actor: Schema.String,
    /** The last 100 sessions that the shadow worked on, the newest last. */
    sessions: Schema.Array(
      Schema.Struct({
        session: SessionId,
        mode: Mode,
        /** Inputs that both worked on, and inputs since the shadow's first that only the actor has settled so far. */
        compared: Count,
        waiting: Count,
        texts: Schema.Array(TextComparison),
        /** Codes of what failed. */
        failed: Schema.Struct({ actor: Schema.Array(Schema.String), shadow: Schema.Array(Schema.String) })
      })
    ),
    /** Words of all sessions together. */
    same: Count,
    added: Count,
    removed: Count,
    pace: Schema.Struct({ actor: Pace, shadow: Pace })
  }),
  changes: false,
  means: "What a shadow made of the same input, against what the actor made: words and time.",
  http: { method: "GET", path: "/actors/:actor/compare" }
})
export type Comparison = (typeof CompareActor)["reply"]["Type"]
