/**
 * A benchmark's own surroundings: a fresh home, a core budget of its own, and none of the user's settings, so that the
 * figures are those of the defaults. Only the cache of models is the user's. All of it is gone with the scope.
 *
 * Gotcha: another Voxbus that computes at the same time is not seen by this budget; stop it before measuring.
 */
import * as Effect from "effect/Effect"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"

const KEPT = ["VOXBUS_CACHE", "VOXBUS_LOG_LEVEL"]

/** A folder under the system's temporary one, removed with the scope. */
export const temporaryFolder = (name: string) =>
  Effect.acquireRelease(
    Effect.sync(() => mkdtempSync(join(tmpdir(), `voxbus-bench-${name}-`))),
    (folder) => Effect.sync(() => rmSync(folder, { recursive: true, force: true, maxRetries: 3 }))
  )

/** Cleans the environment of this process, which its children inherit. Returns the home. */
export const openWorkspace = Effect.gen(function* () {
  for (const name of Object.keys(process.env)) {
    if ((name.startsWith("VOXBUS_") || name === "NATS_URL" || name === "OPENWEBUI_API_KEY") && !KEPT.includes(name))
      delete process.env[name]
  }
  const home = yield* temporaryFolder("home")
  process.env["VOXBUS_HOME"] = home
  process.env["VOXBUS_CORES_NAME"] = `voxbus-bench-${process.pid}`
  return home
})
