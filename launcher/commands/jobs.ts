/** `voxbus jobs`: the queue, and what a person changes about it. */
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { CancelJob, type Job, ListJobs, MoveJob, PauseJobs, RetryJob } from "../../contract/JobCommands.ts"
import { Terminal } from "../../kernel/Failure.ts"
import { invoke } from "../Invoke.ts"
import { clock, jsonFlag, printJson, printLine } from "../Output.ts"

const session = Argument.String("session").pipe(Argument.withDescription("Id of the job, as `voxbus jobs` prints it"))
const output = { json: jsonFlag } as const

const what = ({ state, progress, position, error }: Job): string => {
  if (progress !== undefined) {
    const left = progress.remainingMs === undefined ? "" : `, ${clock(progress.remainingMs / 1000)} left`
    return `${Math.round(progress.ratio * 100)} % (${progress.settled} of ${progress.chunks}${progress.cut ? "" : " so far"}${left})`
  }
  if (error !== undefined) return `${error.message} [${error.code}]`
  return state === "queued" || state === "held" ? `number ${position}` : ""
}

const line = (job: Job) => `${job.session}  ${job.state.padEnd(9)}  p${job.priority}  ${job.title}  ${what(job)}`.trimEnd()

const print = (json: boolean, value: object, text: string) => (json ? printJson(value) : printLine(text))

const show = Effect.fnUntraced(function* (json: boolean) {
  const { jobs } = yield* invoke(ListJobs, {})
  if (json) return yield* printJson({ jobs })
  yield* printLine(jobs.length === 0 ? "No jobs." : jobs.map(line).join("\n"))
})

const list = Command.make(
  "list",
  output,
  Effect.fn(({ json }) => show(json), Effect.scoped)
).pipe(Command.withDescription("All jobs: those that run, those that wait in their order, those that have ended"))

const cancel = Command.make(
  "cancel",
  { session, ...output },
  Effect.fn(function* ({ session, json }) {
    const done = yield* invoke(CancelJob, { session })
    yield* print(json, done, `${done.session} ${done.state}`)
  }, Effect.scoped)
).pipe(Command.withDescription("Take a job out of the queue, or stop it"))

const retry = Command.make(
  "retry",
  { session, ...output },
  Effect.fn(function* ({ session, json }) {
    const done = yield* invoke(RetryJob, { session })
    yield* print(json, done, `${done.session} queued`)
  }, Effect.scoped)
).pipe(Command.withDescription("Do a job again that has ended, with the same parameters"))

const move = Command.make(
  "move",
  {
    session,
    priority: Flag.Int("priority").pipe(Flag.withDescription("0 (last) to 9 (first)"), Flag.optional),
    before: Flag.String("before").pipe(Flag.withDescription("The waiting job that it goes directly before"), Flag.optional),
    ...output
  },
  Effect.fn(function* ({ session, priority, before, json }) {
    if (Option.isNone(priority) && Option.isNone(before))
      return yield* new Terminal({ code: "command.usage", message: "Say where to: --priority N or --before SESSION." })
    const done = yield* invoke(MoveJob, {
      session,
      ...(Option.isSome(priority) ? { priority: priority.value } : {}),
      ...(Option.isSome(before) ? { before: before.value } : {})
    })
    yield* print(json, done, `${done.session} number ${done.position}, priority ${done.priority}`)
  }, Effect.scoped)
).pipe(Command.withDescription("Give a waiting job another priority or place"))

const held = (name: "pause" | "resume", paused: boolean, means: string) =>
  Command.make(
    name,
    { session: session.pipe(Argument.optional), ...output },
    Effect.fn(function* ({ session, json }) {
      const done = yield* invoke(PauseJobs, { paused, ...(Option.isSome(session) ? { session: session.value } : {}) })
      yield* print(json, done, `${done.sessions.length} ${paused ? "held back" : "going on"}`)
    }, Effect.scoped)
  ).pipe(Command.withDescription(means))

export const jobs = Command.make(
  "jobs",
  output,
  Effect.fn(({ json }) => show(json), Effect.scoped)
).pipe(
  Command.withDescription("The queue of calls"),
  Command.withSubcommands([
    list,
    cancel,
    retry,
    move,
    held("pause", true, "Hold one waiting job back, or all"),
    held("resume", false, "Let one held job go on, or all")
  ])
)
