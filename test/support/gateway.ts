/** A gateway on a free port over a real bus, with the scripted actor in place of the six. */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { Recorder, Recordings } from "../../actors/capture/index.ts"
import { gatewayWith } from "../../gateway/index.ts"
import { scriptedActor } from "../../gateway/testkit/ScriptedActor.ts"
import { busBlobs, busFrames } from "../../kernel/BusBlobs.ts"
import { start } from "../../kernel/Runtime.ts"
import { load, Settings } from "../../kernel/Settings.ts"
import { realBus, temporaryFolder } from "./server.ts"

export const settingsWith = (port: number, gateway: Record<string, unknown> = {}) =>
  Layer.effect(
    Settings,
    Effect.flatMap(temporaryFolder, (home) => load({ VOXBUS_HOME: home }, { gateway: { port, ...gateway } }))
  )

const settings = settingsWith(0)

export const scriptedBus = Layer.effectDiscard(start(scriptedActor, { ackWaitMs: 2_500 })).pipe(
  Layer.provideMerge(Layer.mergeAll(busBlobs, Recorder.layer, Recordings.layer.pipe(Layer.provide([busFrames, settings])))),
  Layer.provideMerge(realBus)
)

/** Turns are given up after 2 s. */
export const scriptedGateway = gatewayWith({ patienceMs: 2_000 }).pipe(Layer.provide(settings), Layer.provideMerge(scriptedBus))

/** The same, with limits that no test reaches. */
export const unlimitedGateway = gatewayWith({ patienceMs: 2_000 }).pipe(
  Layer.provide(
    settingsWith(0, {
      limits: { requestsPerMinute: 1_000_000, uploadsAtOnce: 100, socketsPerClient: 10_000, conversationsPerHour: 1_000_000 }
    })
  ),
  Layer.provideMerge(scriptedBus)
)
