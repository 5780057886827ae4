/**
 * The actors there are: one line each. Deleting an actor's folder breaks nothing but its line here.
 *
 * `native` actors hold native code or a model and get a process of their own; the rest live in the launcher's.
 */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type { Actor } from "../kernel/Actor.ts"
import type { Blobs } from "../kernel/Blobs.ts"
import type { Bus } from "../kernel/Bus.ts"
import type { Cores } from "../kernel/Cores.ts"
import type { Failure } from "../kernel/Failure.ts"
import type { Frames } from "../kernel/Frames.ts"
import type { Models } from "../kernel/Models.ts"
import { start, type Running } from "../kernel/Runtime.ts"
import type { Settings } from "../kernel/Settings.ts"
import type * as Scope from "effect/Scope"
import { bundlerActor, bundlerLayer } from "../actors/bundler/index.ts"
import { captureActor } from "../actors/capture/index.ts"
import { normalizerActor, normalizerLayer } from "../actors/normalizer/index.ts"
import { reasonerActor, reasonerLayer } from "../actors/reasoner/index.ts"
import { speakerActor, speakerLayer } from "../actors/speaker/index.ts"
import { transcriberActor, transcriberLayer } from "../actors/transcriber/index.ts"

/** What the kernel gives every actor. */
export type Base = Bus | Blobs | Frames | Cores | Models | Settings

export interface Entry {
  readonly declaration: Pick<Actor, "name" | "consumes" | "publishes">
  readonly native: boolean
  /** Runs it in the current scope; returns when it takes events. */
  readonly start: (ackWaitMs: number) => Effect.Effect<Running, Failure, Base | Scope.Scope>
}

const entry = <R, E extends Failure>(actor: Actor<R | Base>, native: boolean, layer: Layer.Layer<R, E, Base>): Entry => ({
  declaration: actor,
  native,
  start: (ackWaitMs) => Effect.flatMap(Layer.build(layer), (services) => start(actor, { ackWaitMs }).pipe(Effect.provide(services)))
})

export const ACTORS: ReadonlyArray<Entry> = [
  entry(captureActor, false, Layer.empty),
  entry(normalizerActor, false, normalizerLayer),
  entry(transcriberActor, true, transcriberLayer),
  entry(reasonerActor, true, reasonerLayer),
  entry(speakerActor, true, speakerLayer),
  entry(bundlerActor, false, bundlerLayer)
]

/** Names of the actors of a call, which need neither the language model nor the voice. */
export const CALL_ACTORS = ["capture", "normalizer", "transcriber", "bundler"] as const
export const TURN_ACTORS = ["capture", "normalizer", "transcriber", "reasoner", "speaker"] as const

export const nameOf = (each: Entry): string => each.declaration.name
