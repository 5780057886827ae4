/**
 * Files and folders into the queue. What is known by its content is not queued again unless it is asked for; a file that
 * cannot be read is refused by itself and the others go on.
 */
import * as Effect from "effect/Effect"
import { stat } from "node:fs/promises"
import { basename, extname } from "node:path"
import { AddImport, ScanImport } from "../../contract/JobCommands.ts"
import { handler } from "../../kernel/Commands.ts"
import { describe, type Failure, Terminal } from "../../kernel/Failure.ts"
import { DEFAULT_PRIORITY } from "../../kernel/folds/JobQueue.ts"
import { Settings } from "../../kernel/Settings.ts"
import { sha256 } from "../../models/index.ts"
import { changing, enqueue, knownContents, readQueue } from "../jobs/Queue.ts"
import { scan } from "../jobs/Scan.ts"

type Request = typeof AddImport.request.Type
type Imported = (typeof AddImport.reply.Type)["files"][number]

const digest = Effect.fnUntraced(function* (path: string) {
  const unreadable = (cause: unknown) =>
    new Terminal({ code: "input.missing", message: `${path} cannot be read: ${describe(cause)}`, cause })
  const { size } = yield* Effect.tryPromise({ try: () => stat(path), catch: unreadable })
  if (size === 0) return yield* new Terminal({ code: "audio.empty", message: `${basename(path)} is empty (0 bytes).` })
  return yield* Effect.tryPromise({ try: (signal) => sha256(path, signal), catch: unreadable })
})

const refused = (path: string) => (failure: Failure) =>
  Effect.succeed<Imported>({ path, status: "refused", error: { code: failure.code, message: failure.message } })

const importFile = Effect.fnUntraced(function* (path: string, request: Request) {
  const content = yield* digest(path)
  const queue = Effect.gen(function* () {
    const { title, ticket, priority, config, again } = request
    const key = request.key === undefined ? undefined : `${request.key}/${content}`
    const before = key === undefined ? undefined : [...(yield* readQueue).jobs.values()].find(({ job }) => job.key === key)?.session
    const known = before ?? (again === true ? undefined : (yield* knownContents).get(content))
    if (known !== undefined) return { path, status: "known", session: known } satisfies Imported
    const session = yield* enqueue({
      path,
      title: title ?? basename(path, extname(path)),
      ...(ticket === undefined ? {} : { ticket }),
      ...(key === undefined ? {} : { key }),
      sha256: content,
      priority: priority ?? DEFAULT_PRIORITY,
      config: config ?? (yield* Settings).session
    })
    return { path, status: "queued", session } satisfies Imported
  })
  return yield* changing(queue)
})

const add = handler(AddImport, (request) =>
  Effect.gen(function* () {
    const files = yield* Effect.forEach(request.paths, (path) =>
      scan(path, request.recursive === true).pipe(
        Effect.flatMap((found) => Effect.forEach(found, (file) => importFile(file, request).pipe(Effect.catch(refused(file))))),
        Effect.catch((failure) => Effect.map(refused(path)(failure), (each) => [each]))
      )
    )
    return { files: files.flat() }
  })
)

const look = handler(ScanImport, ({ paths, recursive }) =>
  Effect.map(
    Effect.forEach(paths, (path) => scan(path, recursive === true)),
    (found) => ({ files: [...new Set(found.flat())] })
  )
)

export const importHandlers = [look, add]
