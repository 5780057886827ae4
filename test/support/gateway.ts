/** A gateway on a free port over a real bus, with the scripted actor in place of the six. */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { Recorder } from "../../actors/capture/index.ts"
import { gatewayWith } from "../../gateway/index.ts"
import { scriptedActor } from "../../gateway/testkit/ScriptedActor.ts"
import { busBlobs } from "../../kernel/BusBlobs.ts"
import { start } from "../../kernel/Runtime.ts"
import { load, Settings } from "../../kernel/Settings.ts"
import { realBus, temporaryFolder } from "./server.ts"

export const settingsWith = (port: number) =>
  Layer.effect(
    Settings,
    Effect.flatMap(temporaryFolder, (home) => load({ VOXBUS_HOME: home }, { gateway: { port } }))
  )

const environment = Layer.effectDiscard(start(scriptedActor, { ackWaitMs: 2_500 })).pipe(
  Layer.provideMerge(Layer.mergeAll(busBlobs, Recorder.layer)),
  Layer.provideMerge(realBus)
)

/** Turns are given up after 2 s. */
export const scriptedGateway = gatewayWith({ patienceMs: 2_000 }).pipe(Layer.provide(settingsWith(0)), Layer.provideMerge(environment))
