/**
 * `voxbus import PATH...`: files and folders into the queue. With a running instance it returns when they are queued;
 * without one it works through the queue itself. `--watch` goes on with what is put into the folders.
 */
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schedule from "effect/Schedule"
import * as Stream from "effect/Stream"
import { resolve } from "node:path"
import { AddImport, ListJobs, ScanImport } from "../../contract/JobCommands.ts"
import { ensureModel } from "../EnsureModel.ts"
import { asker } from "../Invoke.ts"
import { watchFolders } from "../jobs/Watch.ts"
import { clearStatus, clock, fail, jsonFlag, note, printJson, printLine, status } from "../Output.ts"
import { CALL_ACTORS } from "../Registry.ts"
import { sessionConfig, sessionFlags } from "../SessionFlags.ts"
import { Terminal } from "../../kernel/Failure.ts"

/** Hashing a long recording takes its time. */
const PATIENCE_MS = 600_000

type Imported = (typeof AddImport.reply.Type)["files"][number]

const human = ({ path, status: state, session, error }: Imported) =>
  state === "queued"
    ? `queued   ${session ?? ""}  ${path}`
    : state === "known"
      ? `known    ${session ?? ""}  ${path} (--again transcribes it once more)`
      : `refused  ${path}: ${error?.message ?? ""} [${error?.code ?? ""}]`

export const importFiles = Command.make(
  "import",
  {
    paths: Argument.String("path").pipe(
      Argument.withDescription("Audio or video files, and folders of them"),
      Argument.variadic({ min: 1 })
    ),
    recursive: Flag.Boolean("recursive").pipe(
      Flag.withAlias("r"),
      Flag.withDescription("Folders below folders too"),
      Flag.withDefault(false)
    ),
    watch: Flag.Boolean("watch").pipe(
      Flag.withDescription("Go on with files that are put there later, until Ctrl-C"),
      Flag.withDefault(false)
    ),
    settle: Flag.Int("settle").pipe(Flag.withDescription("Seconds a new file must not change before it is taken (2)"), Flag.withDefault(2)),
    priority: Flag.Int("priority").pipe(Flag.withDescription("0 (last) to 9 (first); 5 by default"), Flag.optional),
    again: Flag.Boolean("again").pipe(Flag.withDescription("Also what has been transcribed before"), Flag.withDefault(false)),
    key: Flag.String("key").pipe(Flag.withDescription("Idempotency key: the same import again queues nothing new"), Flag.optional),
    ticket: Flag.String("ticket").pipe(Flag.withDescription("Ticket or case id: letters, digits, - and _"), Flag.optional),
    ...sessionFlags,
    json: jsonFlag
  },
  Effect.fn(function* (options) {
    const config = yield* sessionConfig(options)
    yield* ensureModel(config)
    const { ask, remote } = yield* asker(CALL_ACTORS)
    const { json, again, recursive } = options
    const take = Effect.fnUntraced(function* (path: string) {
      const { files } = yield* ask(
        AddImport,
        {
          paths: [path],
          config,
          again,
          ...(Option.isSome(options.priority) ? { priority: options.priority.value } : {}),
          ...(Option.isSome(options.key) ? { key: options.key.value } : {}),
          ...(Option.isSome(options.ticket) ? { ticket: options.ticket.value } : {})
        },
        PATIENCE_MS
      )
      for (const file of files) yield* json ? printJson(file) : printLine(human(file))
      if (files.some((file) => file.status === "refused")) process.exitCode = 3
    })
    const [first, ...rest] = options.paths.map((path) => resolve(path))
    if (first === undefined) return yield* new Terminal({ code: "command.usage", message: "Name a file or a folder." })
    const now = Effect.forEach([first, ...rest], (path) =>
      ask(ScanImport, { paths: [path], recursive }).pipe(
        Effect.flatMap(({ files }) => Effect.forEach(files, take, { discard: true })),
        Effect.catch(fail)
      )
    )
    const left = Effect.map(ask(ListJobs, { limit: 1 }), ({ jobs }) =>
      jobs.filter(({ state }) => state === "queued" || state === "running")
    )
    const work = left.pipe(
      Effect.tap((jobs) => {
        const running = jobs.find(({ state }) => state === "running")
        const remaining = running?.progress?.remainingMs
        const time = remaining === undefined ? "" : `, ${clock(remaining / 1000)} left`
        return status(
          `${jobs.length} to do${running === undefined ? "" : `; ${running.title}: ${Math.round(100 * (running.progress?.ratio ?? 0))} %${time}`}`
        )
      }),
      Effect.repeat({ until: (jobs) => jobs.length === 0, schedule: Schedule.spaced("500 millis") }),
      Effect.andThen(clearStatus)
    )
    if (options.watch) {
      yield* note("Watching; Ctrl-C ends it.")
      const later = watchFolders([first, ...rest], { recursive, settleMs: Math.max(0, options.settle) * 1000 })
      return yield* Effect.all([now, Stream.runForEach(later, (path) => take(path).pipe(Effect.catch(fail)))], {
        concurrency: "unbounded",
        discard: true
      })
    }
    yield* now
    if (!remote) yield* work
  }, Effect.scoped)
).pipe(
  Command.withDescription("Queue audio files and folders for transcription"),
  Command.withExamples([
    { command: "voxbus import ~/recordings --recursive", description: "Everything in a folder that is not transcribed yet" },
    { command: "voxbus import inbox --watch --priority 8", description: "Also what is put there later, before other work" }
  ])
)
