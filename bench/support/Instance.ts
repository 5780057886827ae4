/** A `voxbus start` of the benchmark's own: the real command in a process of its own, on a fresh home and a free port. */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { type ChildProcess, spawn } from "node:child_process"
import { createInterface } from "node:readline"
import { fileURLToPath } from "node:url"
import { Terminal } from "../../kernel/Failure.ts"

const VOXBUS = fileURLToPath(new URL("../../launcher/voxbus.mjs", import.meta.url))

const Ready = Schema.Struct({
  ready: Schema.Boolean,
  gateway: Schema.String,
  bus: Schema.String,
  home: Schema.String,
  down: Schema.Array(Schema.Struct({ actor: Schema.String, detail: Schema.String }))
})
const decode = Schema.decodeUnknownOption(Schema.fromJsonString(Ready))

export interface Instance extends Schema.Schema.Type<typeof Ready> {
  readonly pid: number
  /** Milliseconds from spawning the command to its line "ready". */
  readonly readyMs: number
}

const failure = (message: string) => new Terminal({ code: "instance.failed", message })

/** Asks it to leave and waits until it has; its children go with it. */
const stop = (child: ChildProcess) =>
  Effect.callback<void>((done) => {
    if (child.exitCode !== null || child.signalCode !== null) return done(Effect.void)
    child.once("exit", () => done(Effect.void))
    child.kill("SIGTERM")
  }).pipe(Effect.timeoutOrElse({ duration: "20 seconds", orElse: () => Effect.sync(() => void child.kill("SIGKILL")) }))

export interface StartOptions {
  /** Over the environment of this process. */
  readonly env?: Readonly<Record<string, string>>
  /** 0 takes a free one. */
  readonly port?: number
}

/** Starts it; returns when it is ready, with every actor up. Stopped with the scope. */
export const startInstance = Effect.fnUntraced(function* ({ env = {}, port = 0 }: StartOptions = {}) {
  const begun = performance.now()
  const child = yield* Effect.acquireRelease(
    Effect.sync(() =>
      spawn(process.execPath, [VOXBUS, "start", "--port", String(port), "--no-ui-open", "--json"], {
        // Its log is only of interest when something goes wrong.
        env: { VOXBUS_LOG_LEVEL: "warning", ...process.env, ...env },
        stdio: ["ignore", "pipe", "inherit"]
      })
    ),
    stop
  )
  const ready = yield* Effect.callback<Schema.Schema.Type<typeof Ready>, Terminal>((resume) => {
    child.once("error", (cause) => resume(Effect.fail(failure(`voxbus start: ${cause.message}`))))
    child.once("exit", (code) => resume(Effect.fail(failure(`voxbus start ended with exit code ${code}.`))))
    createInterface({ input: child.stdout }).on("line", (line) => {
      const known = decode(line)
      if (known._tag === "Some") resume(Effect.succeed(known.value))
    })
  }).pipe(
    Effect.timeoutOrElse({ duration: "2 minutes", orElse: () => Effect.fail(failure("voxbus start was not ready within two minutes.")) })
  )
  const readyMs = performance.now() - begun
  if (ready.down.length > 0) return yield* failure(ready.down.map(({ actor, detail }) => `${actor}: ${detail}`).join("; "))
  const instance: Instance = { ...ready, pid: child.pid ?? 0, readyMs }
  return instance
})
