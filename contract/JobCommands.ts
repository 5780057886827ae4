/** The queue of calls: what waits, what runs, what came of it, and the folders and files that feed it. */
import * as Schema from "effect/Schema"
import { command } from "./Command.ts"
import { ErrorCode } from "./Errors.ts"
import { Priority } from "./Events.ts"
import { SessionConfig, SessionId, TicketId } from "./Session.ts"

export const JobState = Schema.Literals(["queued", "held", "running", "done", "failed", "cancelled"])
export type JobState = typeof JobState.Type

export const Job = Schema.Struct({
  session: SessionId,
  state: JobState,
  title: Schema.String,
  ticket: Schema.optionalKey(TicketId),
  /** Absolute path of the file on the host of the instance. */
  path: Schema.String,
  priority: Priority,
  /** Place among those that wait, from 1; 0 when it does not wait. */
  position: Schema.Int,
  /** ISO 8601. */
  queuedAt: Schema.String,
  startedAt: Schema.optionalKey(Schema.String),
  endedAt: Schema.optionalKey(Schema.String),
  /** Of a running job; `ratio` 0..1. */
  progress: Schema.optionalKey(
    Schema.Struct({
      /** Chunks that have ended, and how many there are so far; final when `cut` is true. */
      settled: Schema.Int,
      chunks: Schema.Int,
      cut: Schema.Boolean,
      ratio: Schema.Finite,
      elapsedMs: Schema.Finite,
      /** From the speed of this job so far; absent while there is nothing to measure. */
      remainingMs: Schema.optionalKey(Schema.Finite),
      /** Seconds of work per second of audio, measured; absent until the length is known. */
      realTimeFactor: Schema.optionalKey(Schema.Finite)
    })
  ),
  error: Schema.optionalKey(Schema.Struct({ code: ErrorCode, message: Schema.String })),
  retryOf: Schema.optionalKey(SessionId),
  /** As it was queued, for ever. */
  config: SessionConfig
})
export type Job = typeof Job.Type

const Which = Schema.Struct({ session: SessionId })

/** What a file is queued with. */
const parameters = {
  title: Schema.optionalKey(Schema.String.check(Schema.isMaxLength(500))),
  ticket: Schema.optionalKey(TicketId),
  priority: Schema.optionalKey(Priority),
  /** The instance's own settings when absent. */
  config: Schema.optionalKey(SessionConfig)
} as const

export const ListJobs = command("jobs.list", {
  request: Schema.Struct({
    state: Schema.optionalKey(JobState),
    /** The newest so many of those that have ended; 100 by default. */
    limit: Schema.optionalKey(Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 10_000 })))
  }),
  reply: Schema.Struct({ jobs: Schema.Array(Job) }),
  changes: false,
  means: "Jobs in the order they run, then those that have ended, the newest first."
})

export const AddJob = command("jobs.add", {
  request: Schema.Struct({
    /** Absolute path of one file on the host of the instance. */
    path: Schema.NonEmptyString,
    ...parameters,
    /** The same key again gives the same job. */
    key: Schema.optionalKey(Schema.NonEmptyString.check(Schema.isMaxLength(200)))
  }),
  reply: Schema.Struct({ session: SessionId, added: Schema.Boolean }),
  // It names files of the host.
  admin: true,
  changes: true,
  means: "Queues a file, also when its content has been transcribed before."
})

export const CancelJob = command("jobs.cancel", {
  request: Which,
  reply: Schema.Struct({ session: SessionId, state: JobState }),
  changes: true,
  means: "Takes a job out of the queue, or stops it where it is. Fails with job.finished when it has ended."
})

export const RetryJob = command("jobs.retry", {
  request: Which,
  reply: Schema.Struct({ session: SessionId, retryOf: SessionId }),
  changes: true,
  means: "Queues a job that has ended once more, as a new one with the same parameters."
})

export const MoveJob = command("jobs.move", {
  request: Schema.Struct({
    session: SessionId,
    priority: Schema.optionalKey(Priority),
    /** Directly before this waiting job, with its priority. */
    before: Schema.optionalKey(SessionId)
  }),
  reply: Schema.Struct({ session: SessionId, priority: Priority, position: Schema.Int }),
  changes: true,
  means: "Gives a waiting job another priority or place."
})

export const PauseJobs = command("jobs.pause", {
  request: Schema.Struct({
    /** All jobs that wait when absent. */
    session: Schema.optionalKey(SessionId),
    /** False lets them go on. */
    paused: Schema.Boolean
  }),
  reply: Schema.Struct({ sessions: Schema.Array(SessionId) }),
  changes: true,
  means: "Holds waiting jobs back, or lets them go on. What runs is not touched."
})

const Imported = Schema.Struct({
  path: Schema.String,
  /** `known`: a file with this content is in the queue or transcribed already; `session` is that one. */
  status: Schema.Literals(["queued", "known", "refused"]),
  session: Schema.optionalKey(SessionId),
  error: Schema.optionalKey(Schema.Struct({ code: ErrorCode, message: Schema.String }))
})

const where = {
  /** Absolute paths of files and folders on the host of the instance. */
  paths: Schema.NonEmptyArray(Schema.NonEmptyString),
  /** Folders below folders too. */
  recursive: Schema.optionalKey(Schema.Boolean),
  ...parameters
} as const

export const ScanImport = command("import.scan", {
  request: Schema.Struct({ paths: where.paths, recursive: where.recursive }),
  reply: Schema.Struct({ files: Schema.Array(Schema.String) }),
  // It names files of the host.
  admin: true,
  http: { method: "POST", path: "/import/scan" },
  changes: false,
  means: "The audio and video files that an import of these paths would take, sorted."
})

export const AddImport = command("import.add", {
  request: Schema.Struct({
    ...where,
    /** Also what has been transcribed before. */
    again: Schema.optionalKey(Schema.Boolean),
    /** The same key again queues nothing new: the jobs of the first time. */
    key: Schema.optionalKey(Schema.NonEmptyString.check(Schema.isMaxLength(100)))
  }),
  reply: Schema.Struct({ files: Schema.Array(Imported) }),
  // It names files of the host.
  admin: true,
  changes: true,
  means: "Queues files and the audio files of folders. A file whose content is known is not queued again."
})
