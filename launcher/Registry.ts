/**
 * The actors there are: one line each. Deleting an actor's folder breaks nothing but its line here.
 *
 * Loaded on demand, so that a process holds the code of the actors it runs and no more. `native` actors hold native code
 * or a model and get a process of their own; the rest live in the launcher's.
 */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import type { Actor } from "../kernel/Actor.ts"
import type { Blobs } from "../kernel/Blobs.ts"
import type { Bus } from "../kernel/Bus.ts"
import type { Cores } from "../kernel/Cores.ts"
import type { Failure } from "../kernel/Failure.ts"
import type { Frames } from "../kernel/Frames.ts"
import type { Models } from "../kernel/Models.ts"
import { type Running, start } from "../kernel/Runtime.ts"
import type { Settings } from "../kernel/Settings.ts"
import { type Shadow, shadowed } from "./shadow/Shadow.ts"

/** What the kernel gives every actor. */
export type Base = Bus | Blobs | Frames | Cores | Models | Settings

/** An actor whose code is loaded. */
export interface Loaded {
  readonly declaration: Pick<Actor, "name" | "consumes" | "publishes" | "asks">
  /** Runs it in the current scope, as a shadow with `shadow`; returns when it takes events. */
  readonly start: (ackWaitMs: number, shadow?: Shadow) => Effect.Effect<Running, Failure, Base | Scope.Scope>
}

export interface Entry {
  readonly name: string
  readonly native: boolean
  readonly load: () => Promise<Loaded>
}

const loaded = <R, E extends Failure>(actor: Actor<R | Base>, layer: Layer.Layer<R, E, Base>): Loaded => ({
  declaration: actor,
  start: (ackWaitMs, shadow) =>
    Effect.flatMap(Layer.build(layer), (services) =>
      start(shadow === undefined ? actor : shadowed(actor, shadow), { ackWaitMs, aside: shadow !== undefined }).pipe(
        Effect.provide(services)
      )
    )
})

export const ACTORS: ReadonlyArray<Entry> = [
  { name: "capture", native: false, load: async () => loaded((await import("../actors/capture/index.ts")).captureActor, Layer.empty) },
  {
    name: "normalizer",
    native: false,
    load: () => import("../actors/normalizer/index.ts").then((the) => loaded(the.normalizerActor, the.normalizerLayer))
  },
  {
    name: "transcriber",
    native: true,
    load: () => import("../actors/transcriber/index.ts").then((the) => loaded(the.transcriberActor, the.transcriberLayer))
  },
  {
    name: "reasoner",
    native: true,
    load: () => import("../actors/reasoner/index.ts").then((the) => loaded(the.reasonerActor, the.reasonerLayer))
  },
  {
    name: "speaker",
    native: true,
    load: () => import("../actors/speaker/index.ts").then((the) => loaded(the.speakerActor, the.speakerLayer))
  },
  {
    name: "bundler",
    native: false,
    load: () => import("../actors/bundler/index.ts").then((the) => loaded(the.bundlerActor, the.bundlerLayer))
  },
  { name: "spotter", native: false, load: async () => loaded((await import("../actors/spotter/index.ts")).spotterActor, Layer.empty) },
  { name: "diarizer", native: false, load: async () => loaded((await import("../actors/diarizer/index.ts")).diarizerActor, Layer.empty) }
]

/** All of them, loaded: for whoever hands out permissions and sets up consumers. */
export const loadAll: Effect.Effect<ReadonlyArray<Entry & Loaded>> = Effect.promise(() =>
  Promise.all(ACTORS.map(async (entry) => ({ ...entry, ...(await entry.load()) })))
)

export const NAMES: ReadonlyArray<string> = ACTORS.map((entry) => entry.name)

/** The actors of a call, which need neither the language model nor the voice. */
export const CALL_ACTORS = ["capture", "normalizer", "transcriber", "bundler", "spotter", "diarizer"] as const
export const TURN_ACTORS = ["capture", "normalizer", "transcriber", "reasoner", "speaker"] as const
