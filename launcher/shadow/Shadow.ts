/**
 * A shadow: an actor that gets the same input as the one that does the work, with another engine or model, and whose
 * output nobody follows. Here is the actor's side of it: another name (so that it has consumers of its own), another
 * configuration in each event, and a past without what its twin has already made of the same input.
 */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import type { SessionEvent } from "../../contract/Events.ts"
import { SessionConfig } from "../../contract/Session.ts"
import type { Actor, ActorContext } from "../../kernel/Actor.ts"
import { type Failure, Terminal } from "../../kernel/Failure.ts"
import { type Override, override } from "../replay/Override.ts"

export interface Shadow {
  readonly override: Override
}

/** Actors that can have one: the others write files or open sessions. */
export const SHADOWED = ["normalizer", "transcriber", "reasoner", "speaker", "spotter"] as const

export const shadowName = (actor: string): string => `${actor}-shadow`

const decodeConfig = Schema.decodeUnknownEffect(SessionConfig)

/** A configuration with the shadow's engine and model for its actor. */
export const configOf = (actor: string, config: SessionConfig, shadow: Override): Effect.Effect<SessionConfig, Terminal> =>
  decodeConfig(override(config, [actor], shadow)).pipe(
    Effect.mapError((cause) => new Terminal({ code: "input.invalid", message: `The shadow's configuration: ${cause.message}`, cause }))
  )

const inputOf = (actor: string, event: SessionEvent, shadow: Override): Effect.Effect<SessionEvent, Failure> =>
  "config" in event ? Effect.map(configOf(actor, event.config, shadow), (config) => ({ ...event, config })) : Effect.succeed(event)

/** The past as it was for its twin, too: without the twin's output for this very input. */
const pastOf = (actor: string, context: ActorContext): ActorContext => ({
  ...context,
  history: (tags) =>
    Effect.map(context.history(tags), (entries) =>
      entries.filter((entry) => entry.actor !== actor || entry.cause !== `${context.stream}:${context.sequence}`)
    )
})

export const shadowed = <R>(actor: Actor<R>, shadow: Shadow): Actor<R> => ({
  ...actor,
  name: shadowName(actor.name),
  handle: (event, context) =>
    Stream.unwrap(Effect.map(inputOf(actor.name, event, shadow.override), (input) => actor.handle(input, pastOf(actor.name, context))))
})
