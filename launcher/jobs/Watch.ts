/**
 * New files in folders, once they have come to rest: a file counts when its size has not changed for the settle time, so
 * that nothing is imported while it is still being copied.
 */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Queue from "effect/Queue"
import * as Stream from "effect/Stream"
import { watch as chokidar } from "chokidar"
import { stat } from "node:fs/promises"
import { describe, Terminal } from "../../kernel/Failure.ts"
import { isMedia } from "./Scan.ts"

export interface WatchOptions {
  readonly recursive: boolean
  /** Milliseconds without a change of size. */
  readonly settleMs: number
}

/** Files as they come, for ever; those that were there before are not among them. */
export const watchFolders = (folders: ReadonlyArray<string>, { recursive, settleMs }: WatchOptions): Stream.Stream<string, Terminal> =>
  Stream.callback<string, Terminal>((queue) =>
    Effect.gen(function* () {
      for (const folder of folders) {
        const found = yield* Effect.tryPromise({
          try: () => stat(folder),
          catch: (cause) => new Terminal({ code: "input.missing", message: `${folder} cannot be watched: ${describe(cause)}`, cause })
        })
        if (!found.isDirectory()) return yield* new Terminal({ code: "input.invalid", message: `${folder} is not a folder.` })
      }
      yield* Effect.acquireRelease(
        Effect.sync(() => {
          const watcher = chokidar([...folders], {
            ignoreInitial: true,
            followSymlinks: false,
            ...(recursive ? {} : { depth: 0 }),
            awaitWriteFinish: { stabilityThreshold: settleMs, pollInterval: Math.max(50, Math.min(500, settleMs / 4)) }
          })
          watcher.on("add", (path) => {
            if (isMedia(path)) Queue.offerUnsafe(queue, path)
          })
          watcher.on("error", (cause) =>
            Queue.failCauseUnsafe(
              queue,
              Cause.fail(new Terminal({ code: "input.missing", message: `Watching failed: ${describe(cause)}`, cause }))
            )
          )
          return watcher
        }),
        (watcher) => Effect.promise(() => watcher.close())
      )
    })
  )
