/**
 * The launcher's child process for one actor: `node worker.ts ACTOR`. The same as `voxbus run`, without the command line
 * (which costs 0.1 s of processor time and 15 MB to load), and it ends when its standard input does.
 */
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { describe } from "../kernel/Failure.ts"
import { exitWithParent } from "../kernel/Guard.ts"
import { logFromEnvironment } from "../kernel/Log.ts"
import { Models } from "../kernel/Models.ts"
import { Settings } from "../kernel/Settings.ts"
import { READY } from "./Ready.ts"
import { runActor } from "./RunActor.ts"

exitWithParent()

runActor(process.argv[2] ?? "", { ready: Effect.sync(() => void process.send?.(READY)) }).pipe(
  Effect.tapCause((cause) => (Cause.hasInterruptsOnly(cause) ? Effect.void : Effect.logError(describe(Cause.squash(cause))))),
  Effect.provide(Layer.mergeAll(Models.layer.pipe(Layer.provideMerge(Settings.layer())), logFromEnvironment("Info"))),
  NodeRuntime.runMain({ disableErrorReporting: true })
)
